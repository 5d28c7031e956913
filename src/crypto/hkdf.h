// Keys from keys: HKDF with SHA-256 (RFC 5869). Thread-safe. Not for passwords (crypto/password.h).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/secret.h"

namespace nd {

// `size` bytes, at most 8,160, from `key` (not empty). `info` names the purpose: two purposes never share bytes. An
// empty salt means 32 zero bytes.
[[nodiscard]] Secret HkdfSha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t size);

}  // namespace nd
