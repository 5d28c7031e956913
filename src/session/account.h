// Rules for user names and passwords. Pure and thread-safe. CanonicalUser is declared in session/sessions.h.
#pragma once

#include <string_view>

#include "base/result.h"

namespace nd::session {

// NIST SP 800-63B asks for 8 at least; the accounts here can run commands and hand out keys.
inline constexpr std::size_t kMinPassword = 12;
// Hashing takes any size; a bound keeps requests and work small and is far above any phrase.
inline constexpr std::size_t kMaxPassword = 256;
inline constexpr std::size_t kMaxUser = 64;

// kInvalidInput, saying what to do, unless `password` has 12 to 256 bytes of UTF-8 and is not the name of `user`.
Result<void> CheckNewPassword(std::string_view password, std::string_view user);

// At most 256 bytes of `text`, cut between characters; what is not printable becomes '?'.
std::string CleanUserAgent(std::string_view text);

}  // namespace nd::session
