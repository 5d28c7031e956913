#include "base/clock.h"

#include <fmt/format.h>

namespace nd {

namespace {
struct Civil {
  int year;
  unsigned month, day;
  std::int64_t hour, minute, second, micros;
};

Civil Split(WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const auto rest = (time - days).count();
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
          rest / 3'600'000'000, rest / 60'000'000 % 60, rest / 1'000'000 % 60, rest % 1'000'000};
}
}  // namespace

WallTime SystemClock::Now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::Steady() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

std::int64_t UnixSeconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string FormatRfc3339Micros(WallTime time) {
  const Civil c = Split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.micros);
}

std::string FormatRfc3339Seconds(WallTime time) {
  const Civil c = Split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string FormatDate(WallTime time) {
  const Civil c = Split(time);
  return fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
}

}  // namespace nd
