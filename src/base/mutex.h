// A mutex whose use the compiler checks (clang -Wthread-safety): say which lock guards which member and which lock a
// function needs, and a forgotten lock is a compile error.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define ND_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define ND_THREAD_ANNOTATION(x)
#endif

#define ND_CAPABILITY(x) ND_THREAD_ANNOTATION(capability(x))
#define ND_SCOPED_CAPABILITY ND_THREAD_ANNOTATION(scoped_lockable)
#define ND_GUARDED_BY(x) ND_THREAD_ANNOTATION(guarded_by(x))
#define ND_REQUIRES(...) ND_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ND_EXCLUDES(...) ND_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ND_ACQUIRE(...) ND_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ND_RELEASE(...) ND_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace nd {

class ND_CAPABILITY("mutex") Mutex {
 public:
  void Lock() ND_ACQUIRE() { mutex_.lock(); }
  void Unlock() ND_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class ND_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ND_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ND_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class Condition {
 public:
  // The mutex is held before and after. Spurious returns happen: wait in a loop.
  void Wait(Mutex& mutex) ND_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False after `patience` without a signal.
  template <class Duration>
  bool WaitFor(Mutex& mutex, Duration patience) ND_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool signalled = condition_.wait_for(lock, patience) == std::cv_status::no_timeout;
    lock.release();
    return signalled;
  }
  void SignalOne() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace nd
