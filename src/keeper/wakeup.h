// One coroutine waits until another part of the same loop says go on. A Notify before the wait is not lost.
//
// Loop thread only; at most one waiter. Whoever waits keeps the object alive.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <chrono>

#include "net/asio.h"
#include "net/loop.h"

namespace nd::keeper {

class Wakeup {
 public:
  explicit Wakeup(net::Loop& loop) : timer_(loop.executor()) {}

  void Notify() {
    notified_ = true;
    timer_.cancel();
  }

  // False if `patience` passed without a Notify.
  net::Task<bool> Wait(std::chrono::steady_clock::duration patience) {
    if (!notified_) {
      timer_.expires_after(patience);
      net::error_code ec;
      co_await timer_.async_wait(net::asio::redirect_error(net::kAwait, ec));
    }
    co_return std::exchange(notified_, false);
  }

  static constexpr std::chrono::hours kForever{24 * 365};

 private:
  net::Timer timer_;
  bool notified_ = false;
};

}  // namespace nd::keeper
