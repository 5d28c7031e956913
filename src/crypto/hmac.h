// HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one long-lived key.
//
// Thread-safe: any number of threads may sign and verify with the same key. Keyed contexts are kept for reuse, since
// keying costs three times as much as a short message; they are wiped with the key, none outlives it.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/secret.h"

namespace nd {

class HmacSha256Key {
 public:
  // Any length; RFC 2104 advises 32 bytes or more.
  explicit HmacSha256Key(Secret key);
  ~HmacSha256Key();
  HmacSha256Key(HmacSha256Key&&) noexcept;
  HmacSha256Key& operator=(HmacSha256Key&&) noexcept;
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;

  [[nodiscard]] std::array<char, 32> Sign(std::string_view message) const;
  // Constant time; false for a tag of any other length than 32.
  [[nodiscard]] bool Verify(std::string_view message, std::string_view tag) const;

 private:
  class Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace nd
