#include "base/worker.h"

namespace nd {

Worker::Worker(std::size_t threads, std::size_t max_queued) : max_queued_(max_queued) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { RunThread(); });
}

Worker::~Worker() { Stop(); }

void Worker::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  ready_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool Worker::Submit(std::function<void()> task) {
  {
    const MutexLock lock(mutex_);
    if (stopping_ || tasks_.size() >= max_queued_) return false;
    tasks_.push_back(std::move(task));
  }
  ready_.SignalOne();
  return true;
}

std::size_t Worker::queued() const {
  const MutexLock lock(mutex_);
  return tasks_.size();
}

void Worker::RunThread() {
  for (;;) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && tasks_.empty()) ready_.Wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace nd
