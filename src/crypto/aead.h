// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, by OpenSSL.
//
// Thread-safe. It does not choose nonces: a nonce must never be used twice under one key.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace nd {

inline constexpr std::size_t kAes256KeySize = 32;
inline constexpr std::size_t kGcmNonceSize = 12;
inline constexpr std::size_t kGcmTagSize = 16;

// Ciphertext and the 16-byte tag after it. Preconditions: 32 bytes of key, 12 of nonce, less than 2 GiB of the rest.
[[nodiscard]] std::string Aes256GcmSeal(const Secret& key, std::string_view nonce12, std::string_view plaintext,
                                        std::string_view associated);

// The plaintext; kInvalidInput if `sealed` is not what was sealed under this key, nonce and associated data. No byte of
// plaintext leaves before the tag was checked. Same preconditions.
Result<Secret> Aes256GcmOpen(const Secret& key, std::string_view nonce12, std::string_view sealed,
                             std::string_view associated);

// The same for a key that stays in guarded memory and is lent for the call.
[[nodiscard]] std::string Aes256GcmSealWith(std::string_view key32, std::string_view nonce12,
                                            std::string_view plaintext, std::string_view associated);
Result<Secret> Aes256GcmOpenWith(std::string_view key32, std::string_view nonce12, std::string_view sealed,
                                 std::string_view associated);

}  // namespace nd
