#include "app/duration.h"

#include <charconv>
#include <cstdint>

namespace nd::app {

namespace {
constexpr std::int64_t kLongest = 36'500LL * 86'400;

Error NotADuration() {
  return InvalidInput(
      "A length of time is a positive whole number and one of s, m, h, d, for example 15m, 12h or 90d.");
}
}  // namespace

Result<std::chrono::seconds> ParseDuration(std::string_view text) {
  if (text.size() < 2) return NotADuration();
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3'600;
      break;
    case 'd':
      unit = 86'400;
      break;
    default:
      return NotADuration();
  }
  text.remove_suffix(1);
  std::uint64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || end != text.data() + text.size() || count == 0) return NotADuration();
  if (count > static_cast<std::uint64_t>(kLongest / unit)) {
    return InvalidInput("A length of time may be at most 36500d.");
  }
  return std::chrono::seconds(static_cast<std::int64_t>(count) * unit);
}

}  // namespace nd::app
