// One event loop on one thread, with an end-of-turn stage: everything that became ready together is handled first, then
// the items registered with AtEndOfTurn run once, in order. Answers are sent there, so that one turn's answers share
// system calls.
//
// Run() and everything posted to the loop happen on one thread. Post() and Stop() are safe from any thread.
// Not a thread pool: a handler that blocks stops every connection of the loop.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <cstddef>
#include <functional>

#include "net/asio.h"

namespace nd::net {

// Something that wants to run once at the end of this turn. Owned by whoever registers it.
class EndOfTurn {
 public:
  virtual void RunAtEndOfTurn() = 0;

 protected:
  virtual ~EndOfTurn() = default;

 private:
  friend class Loop;
  EndOfTurn* next_ = nullptr;
  bool queued_ = false;
};

class Loop {
 public:
  // `index` is 0 for the first loop of the process; stable for the process's life.
  explicit Loop(std::size_t index);

  std::size_t index() const { return index_; }
  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }

  // Runs until Stop. Exceptions of handlers end the process: nothing here may throw across a turn.
  void Run();
  void Stop();

  // Runs `task` on the loop's thread, in a later turn. Any thread.
  void Post(std::function<void()> task);
  // Registers `item` for the end of the current turn; twice is once. Loop thread only. Items registered by items run in
  // the same stage.
  void AtEndOfTurn(EndOfTurn& item);
  // Takes a registered item back, e.g. when its owner dies. Loop thread only.
  void Forget(EndOfTurn& item);

 private:
  void RunEndOfTurn();

  std::size_t index_;
  // Before context_: handlers destroyed with the context may still take their items back.
  EndOfTurn* first_ = nullptr;
  EndOfTurn** last_ = &first_;
  bool scheduled_ = false;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
};

}  // namespace nd::net
