// SIGTERM as an event of a loop.
#pragma once

#include <signal.h>

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <utility>

#include "net/loop.h"

namespace nd::app {

// Calls `on_stop` once, on the loop, when SIGTERM has come. The signal was blocked since before the fork and is let in
// here, so that one sent during the start is not lost. One per process; dies before the loop.
class StopSignal {
 public:
  StopSignal(net::Loop& loop, std::function<void()> on_stop) : signals_(loop.executor(), SIGTERM) {
    signals_.async_wait([on_stop = std::move(on_stop)](const net::error_code& ec, int) {
      if (!ec) on_stop();
    });
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }

 private:
  net::asio::basic_signal_set<net::Executor> signals_;
};

}  // namespace nd::app
