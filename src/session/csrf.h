// CSRF tokens: "<generation>.<random>.<MAC>", bound to one session and one generation of its refresh token.
//
// Thread-safe, no I/O. Knows no session table: which generations count is said by the caller. Format:
// docs/formats/tokens.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "crypto/hmac.h"

namespace nd::session {

inline constexpr std::size_t kCsrfMaxSize = 9 + 1 + 22 + 1 + 43;  // generation, 16 random bytes, 32 bytes of MAC

class CsrfTokens {
 public:
  explicit CsrfTokens(Secret key) : key_(std::move(key)) {}

  std::string Issue(std::string_view session, std::uint64_t generation, Random& random) const;

  // The generation for which `token` was issued to `session`; nothing if it was not.
  std::optional<std::uint64_t> Generation(std::string_view session, std::string_view token) const;

 private:
  HmacSha256Key key_;
};

}  // namespace nd::session
