// Answers that take time, by the session or agent token they are for, so that they end when it does.
//
// Thread-safe. An entry lives on one loop; its `end` runs there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/loop.h"

namespace nd::server {

class LiveCalls {
 public:
  explicit LiveCalls(const Clock& clock) : clock_(clock) {}

  // Held while the answer lasts; loop thread only.
  class Guard {
   public:
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    friend class LiveCalls;
    struct Entry;
    Guard(LiveCalls& owner, std::string id, std::shared_ptr<Entry> entry);
    LiveCalls& owner_;
    std::string id_;
    std::shared_ptr<Entry> entry_;
  };

  // `end` is called at most once, on `loop`: when EndAll(id) is called or at `deadline`, whichever comes first.
  std::unique_ptr<Guard> Add(net::Loop& loop, const std::string& id, WallTime deadline, std::function<void()> end);
  // Any thread.
  void EndAll(const std::string& id);

 private:
  const Clock& clock_;
  Mutex mutex_;
  std::unordered_multimap<std::string, std::weak_ptr<Guard::Entry>> entries_ ND_GUARDED_BY(mutex_);
};

}  // namespace nd::server
