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
        [this](auto handler) { waiter_ = std::move(handler); }, kAwait);
  }

  // Resumes the waiter, if there is one, in a later turn.
  void Notify() {
    if (!waiter_) return;
    asio::post(executor_, std::exchange(waiter_, nullptr));
  }

 private:
  Executor executor_;
  asio::any_completion_handler<void()> waiter_;
};

}  // namespace nd::net
