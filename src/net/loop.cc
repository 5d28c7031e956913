#include "net/loop.h"

namespace nd::net {

Loop::Loop(std::size_t index) : index_(index), work_(context_.get_executor()) {}

void Loop::Run() {
  // One run() for the thread's life: Asio keeps its cache of handler and coroutine memory inside that call.
  context_.run();
  RunEndOfTurn();
}

void Loop::Stop() { context_.stop(); }

void Loop::Post(std::function<void()> task) { asio::post(context_, std::move(task)); }

void Loop::AtEndOfTurn(EndOfTurn& item) {
  if (item.queued_) return;
  item.queued_ = true;
  item.next_ = nullptr;
  *last_ = &item;
  last_ = &item.next_;
  if (scheduled_) return;
  scheduled_ = true;
  // The stage queues behind every handler that is ready now, but before those that become ready later: a client that
  // keeps its connection busy cannot put off the answers of the others.
  asio::post(context_, [this] { RunEndOfTurn(); });
}

void Loop::Forget(EndOfTurn& item) {
  if (!item.queued_) return;
  for (EndOfTurn** at = &first_; *at != nullptr; at = &(*at)->next_) {
    if (*at != &item) continue;
    *at = item.next_;
    if (last_ == &item.next_) last_ = at;
    break;
  }
  item.queued_ = false;
}

void Loop::RunEndOfTurn() {
  while (first_ != nullptr) {
    EndOfTurn* item = first_;
    first_ = item->next_;
    if (first_ == nullptr) last_ = &first_;
    item->queued_ = false;
    item->RunAtEndOfTurn();
  }
  scheduled_ = false;
}

}  // namespace nd::net
