// SIGTERM as an event of a loop.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <utility>

#include "net/loop.h"

namespace nd::app {

// Calls `on_stop` once, on the loop, when SIGTERM has come. The signal was blocked before the fork and stays blocked in
// every thread: one sent during the start is not lost, and one sent again while the process stops does not cut that
// short. Dies before the loop.
class StopSignal {
 public:
  StopSignal(net::Loop& loop, std::function<void()> on_stop) : descriptor_(loop.executor(), Open()) {
    descriptor_.async_wait(decltype(descriptor_)::wait_read, [on_stop = std::move(on_stop)](const net::error_code& ec) {
      if (!ec) on_stop();
    });
  }

 private:
  static int Open() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  net::asio::posix::basic_stream_descriptor<net::Executor> descriptor_;
};

}  // namespace nd::app
