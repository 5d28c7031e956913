// Password hashes: Argon2id (RFC 9106) by libsodium, one lane, as text that carries its own parameters and salt.
//
// Thread-safe, slow and large by design: run it on a worker, never on an event loop. InitCrypto() comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nd {

// "$argon2id$v=19$m=...". `operations` is t, `memory_bytes` is m. kInvalidInput for parameters outside of what the
// algorithm takes, kUnavailable if the memory is not to be had.
Result<std::string> HashPassword(std::string_view password, std::uint64_t operations, std::size_t memory_bytes);

// False also for text that is not an Argon2id hash.
[[nodiscard]] bool VerifyPassword(std::string_view hash, std::string_view password);

// True if `hash` was made with other parameters (or is no hash): hash anew at the next successful sign-in.
[[nodiscard]] bool PasswordNeedsRehash(std::string_view hash, std::uint64_t operations, std::size_t memory_bytes);

}  // namespace nd
