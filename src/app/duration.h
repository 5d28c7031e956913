// Lengths of time as people write them: "90d". Pure.
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.h"

namespace nd::app {

// A positive whole number and one of s, m, h, d; nothing else ("1h30m", "1.5d" and "90" are refused). At most 36,500
// days.
Result<std::chrono::seconds> ParseDuration(std::string_view text);

}  // namespace nd::app
