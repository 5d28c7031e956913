// The few facts of a provider's answer that may go on to the client: a media type, an error code, a waiting time. Each
// is rebuilt from a narrow grammar; no text of the provider's passes.
//
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace nd::keeper {

// How much of an error's body is read to find its code.
inline constexpr std::size_t kMaxErrorBody = 64 * 1024;

// "type/subtype" in lower case, without parameters (RFC 9110, 8.3.1); nullopt if it is anything else.
std::optional<std::string> PlainMediaType(std::string_view content_type);

// error.code, else error.type, of an OpenAI or Anthropic error object, if it is [a-z0-9_]{1,64}; else empty.
std::string ErrorCodeOf(std::string_view body);

// Retry-After (RFC 9110, 10.2.3), seconds or a date in the preferred form, as 0 to 86400 seconds from `now`; nullopt if
// it is neither or later. A date that has passed is 0.
std::optional<int> RetryAfterSeconds(std::string_view value, WallTime now);

}  // namespace nd::keeper
