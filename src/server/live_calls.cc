#include "server/live_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nd::server {

struct LiveCalls::Guard::Entry {
  Entry(net::Loop& loop_in, std::function<void()> end_in) : loop(loop_in), deadline(loop_in.executor()), end(std::move(end_in)) {}

  void End() {
    deadline.cancel();
    if (auto once = std::exchange(end, nullptr)) once();
  }

  net::Loop& loop;
  net::Timer deadline;
  std::function<void()> end;
};

LiveCalls::Guard::Guard(LiveCalls& owner, std::string id, std::shared_ptr<Entry> entry)
    : owner_(owner), id_(std::move(id)), entry_(std::move(entry)) {}

LiveCalls::Guard::~Guard() {
  entry_->end = nullptr;
  entry_->deadline.cancel();
  const MutexLock lock(owner_.mutex_);
  const auto [first, last] = owner_.entries_.equal_range(id_);
  for (auto at = first; at != last; ++at) {
    if (at->second.lock() != entry_) continue;
    owner_.entries_.erase(at);
    break;
  }
}

std::unique_ptr<LiveCalls::Guard> LiveCalls::Add(net::Loop& loop, const std::string& id, WallTime deadline,
                                                 std::function<void()> end) {
  auto entry = std::make_shared<Guard::Entry>(loop, std::move(end));
  {
    const MutexLock lock(mutex_);
    entries_.emplace(id, entry);
  }
  // The wall clock may be set meanwhile; then the next request meets the new time, and this answer ends when it was to end.
  entry->deadline.expires_after(std::max(deadline - clock_.Now(), WallTime::duration::zero()));
  entry->deadline.async_wait([weak = std::weak_ptr(entry)](const net::error_code& ec) {
    const auto alive = weak.lock();
    if (!ec && alive != nullptr) alive->End();
  });
  return std::unique_ptr<Guard>(new Guard(*this, id, std::move(entry)));
}

void LiveCalls::EndAll(const std::string& id) {
  std::vector<std::shared_ptr<Guard::Entry>> found;
  {
    const MutexLock lock(mutex_);
    const auto [first, last] = entries_.equal_range(id);
    for (auto at = first; at != last; ++at) {
      if (auto entry = at->second.lock()) found.push_back(std::move(entry));
    }
  }
  for (std::shared_ptr<Guard::Entry>& entry : found) {
    net::Loop& loop = entry->loop;
    // The entry goes along, so that its timer dies on its own loop.
    loop.Post([entry = std::move(entry)] { entry->End(); });
  }
}

}  // namespace nd::server
