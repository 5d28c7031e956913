// Time as a dependency. Everything that waits or expires asks a Clock, so that tests drive it.
//
// Thread-safe. Wall time is for records and token claims; steady time is for waiting and idle limits, since wall time can
// be set back by anyone who may set clocks.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace nd {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual SteadyTime Steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime Now() const override;
  SteadyTime Steady() const override;
};

// A clock that stands still until told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : wall_(start.time_since_epoch().count()) {}
  WallTime Now() const override { return WallTime(std::chrono::microseconds(wall_.load())); }
  SteadyTime Steady() const override { return SteadyTime(std::chrono::microseconds(steady_.load())); }

  // Both times go on.
  void Advance(std::chrono::microseconds by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  // Only the wall clock is set, forwards or back, as an administrator or NTP would.
  void SetWall(WallTime to) { wall_ = to.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_{0};
};

// Seconds since the epoch (RFC 7519 NumericDate).
std::int64_t UnixSeconds(WallTime time);
// RFC 3339 in UTC: with microseconds "2026-11-24T08:00:00.123456Z", and in whole seconds "2026-11-24T08:00:00Z".
std::string FormatRfc3339Micros(WallTime time);
std::string FormatRfc3339Seconds(WallTime time);
// "2026-11-24", UTC.
std::string FormatDate(WallTime time);

}  // namespace nd
