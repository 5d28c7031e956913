// SHA-256 (FIPS 180-4) by OpenSSL.
//
// Sha256 is thread-safe; a hasher belongs to one thread at a time. Not for passwords (crypto/password.h) and not for
// authentication (crypto/hmac.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace nd {

inline constexpr std::size_t kSha256Size = 32;

// The 32 raw bytes.
[[nodiscard]] std::string Sha256(std::string_view bytes);

class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&& other) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&& other) noexcept;
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void Update(std::string_view bytes);
  // The digest of what came since construction or the last Finish; the hasher starts anew.
  [[nodiscard]] std::string Finish();

 private:
  evp_md_ctx_st* context_;
};

}  // namespace nd
