// Replaces what is shaped like a credential in text that is about to be written to the log. The second line of defence:
// the first is that no caller hands one over.
//
// Pure, thread-safe, linear in the size of the text. Not a proof of absence: a secret that looks like a word stays.
#pragma once

#include <string>
#include <string_view>

namespace nd::audit {

inline constexpr std::string_view kRedacted = "[redacted]";

// Replaced are: tokens with a known beginning (ours, those of model providers and code hosts), JSON web tokens, what
// follows "Bearer" or "Basic", values of name=value pairs whose name says secret, passwords inside URLs, private keys
// in PEM, and runs of at least 32 characters that look random (mixed letters and digits, base64 or hex). UUIDs, dates,
// paths and words joined by dashes stay. Any bytes are accepted; applying it twice changes nothing more.
[[nodiscard]] std::string Redact(std::string_view text);

// True for exactly 64 lower-case hex digits.
[[nodiscard]] bool IsSha256Hex(std::string_view text);

}  // namespace nd::audit
