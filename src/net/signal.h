// Lets one coroutine of a loop wait for another part of the same loop. Loop thread only; one waiter at a time.
//
// Whoever owns a Signal notifies it before dying: a coroutine that still waits would otherwise be destroyed with it.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <utility>

#include "net/asio.h"

namespace nd::net {

class Signal {
 public:
  explicit Signal(Executor executor) : executor_(std::move(executor)) {}

  // `co_await signal.Wait()` goes on after the next Notify.
  auto Wait() {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this](auto handler) { Waiter(std::move(handler)).swap(waiter_); }, kAwait);
  }

  // Resumes the waiter, if there is one, in a later turn.
  void Notify() {
    if (!waiter_) return;
    Waiter waiter;
    waiter.swap(waiter_);
    asio::post(executor_, [waiter = std::move(waiter)]() mutable { std::move(waiter)(); });
  }

 private:
  // Swapped, never assigned: its move assignment recurses without end in Boost 1.81.
  using Waiter = asio::any_completion_handler<void()>;

  Executor executor_;
  Waiter waiter_;
};

}  // namespace nd::net
