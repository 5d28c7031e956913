// Threads for work that blocks (password hashing, SQLite), behind a queue that is bounded: when it is full the caller
// learns it at once and can say 503, instead of the process growing.
//
// Thread-safe. Tasks run in the order submitted; with more than one thread they may overlap.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace nd {

class Worker {
 public:
  // `max_queued` tasks may wait besides those that run.
  Worker(std::size_t threads, std::size_t max_queued);
  ~Worker();  // stops
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False if the queue is full: the task was not taken.
  [[nodiscard]] bool Submit(std::function<void()> task);
  // Runs what is queued and joins the threads; later tasks are not taken. Not from a task.
  void Stop();
  std::size_t queued() const;

 private:
  void RunThread();

  const std::size_t max_queued_;
  mutable Mutex mutex_;
  Condition ready_;
  std::deque<std::function<void()>> tasks_ ND_GUARDED_BY(mutex_);
  bool stopping_ ND_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace nd
