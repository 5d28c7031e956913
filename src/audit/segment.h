// Names of the files in the audit directory and their order.
//
// Pure but for the listing; thread-safe.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nd::audit {

using Day = std::chrono::sys_days;

Day DayOf(WallTime time);
// "2026-11-24"; nothing for a text of another form or a day that no calendar has.
std::optional<Day> ParseDay(std::string_view text);

// One file of records: a day and the number of its continuation.
struct Segment {
  Day day{};
  std::uint32_t index = 0;

  // "audit-2026-11-24.jsonl", "audit-2026-11-24.1.jsonl".
  std::string FileName() const;
  static std::optional<Segment> Parse(std::string_view file_name);
  auto operator<=>(const Segment&) const = default;
};

// A side file that holds what stood behind the last whole record after a crash.
struct TornFile {
  std::string name;
  std::uint64_t sequence = 0;  // the number that the next record was to get
  Day day{};
  static std::optional<TornFile> Parse(std::string_view file_name);
};
// `attempt` 0 has no suffix.
std::string TornFileName(std::uint64_t sequence, Day day, int attempt);

struct Listing {
  std::vector<Segment> segments;  // ascending
  std::vector<TornFile> torn;     // ascending by day
};
// kNotFound, kForbidden (permission), kInternal.
Result<Listing> ListDirectory(const std::string& directory);

}  // namespace nd::audit
