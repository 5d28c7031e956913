// From a record to its line: schema, redaction, limits, member order. Format: docs/formats/audit-log.md.
//
// Pure and thread-safe. The part of a line that does not depend on its place in the log is made by the caller of
// Log::Append; the writer thread only adds time, number and hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/event.h"
#include "base/clock.h"

namespace nd::audit {

// A line with its line feed never has more bytes.
inline constexpr std::size_t kMaxLine = 64 * 1024;
// What AppendLine adds to a body, at most.
inline constexpr std::size_t kMaxFrame = 160;

struct Body {
  std::string json;  // `"event":…,"data":{…}`: at most kMaxLine - kMaxFrame bytes
  std::size_t dropped_members = 0;  // data members outside the schema, or named twice
};

// Keeps what the schema of the event allows, redacts, and cuts what is too long.
[[nodiscard]] Body RenderBody(const Record& record);

// The hash that stands in place of a line before the first.
inline constexpr std::string_view kFirstPrev = "0000000000000000000000000000000000000000000000000000000000000000";

// Appends one whole line. `prev` has 64 hex digits.
void AppendLine(std::string& out, WallTime at, std::uint64_t sequence, std::string_view body, std::string_view prev);

// `prev` of the line that follows `line` (with its line feed).
[[nodiscard]] std::string HashLine(std::string_view line);

// What continuing the log needs to know of a line.
struct LineHead {
  std::uint64_t sequence = 0;
  std::string prev;
};
// Nothing unless `line` (with its line feed) is one JSON object with the members of a record in their order.
[[nodiscard]] std::optional<LineHead> ParseLine(std::string_view line);

}  // namespace nd::audit
