// Access tokens: JWT (RFC 7519) in compact form, HS256 and nothing else, as RFC 8725 advises.
//
// Thread-safe and pure: time comes in as an argument; whether the session still lives is not asked here. Not a general
// JWT library: the header is a constant of the key, so `alg`, `kid` and `typ` are never interpreted, only compared.
// Format: docs/formats/tokens.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hmac.h"

namespace nd::session {

inline constexpr std::size_t kJwtMaxSize = 4096;            // ours have about 400 bytes
inline constexpr std::size_t kJwtMinKeySize = 32;           // RFC 7518, section 3.2: as large as the hash
inline constexpr std::chrono::seconds kJwtFutureLimit{30};  // of `iat`: clocks that differ. `exp` has no leeway

struct Claims {
  std::string subject;          // sub: canonical user
  std::string session;          // sid
  std::string token_id;         // jti
  std::int64_t issued_at = 0;   // iat, seconds
  std::int64_t expires_at = 0;  // exp, seconds
};

// The proof that a token was signed by a key of the ring, names our issuer and audience, and is in time.
class VerifiedToken {
 public:
  const Claims& claims() const { return claims_; }

 private:
  friend class JwtRing;
  explicit VerifiedToken(Claims claims) : claims_(std::move(claims)) {}
  Claims claims_;
};

// The keys of one issuer: the first signs, all verify.
class JwtRing {
 public:
  struct NewKey {
    std::string id;  // `kid`: [A-Za-z0-9._-], 1 to 64 bytes
    Secret key;
  };
  // kInvalidInput for no key, a key below kJwtMinKeySize, an id that is malformed or occurs twice.
  static Result<JwtRing> Create(std::vector<NewKey> keys, std::string issuer, std::string audience);

  std::string Sign(const Claims& claims) const;

  // Everything that is wrong is kUnauthenticated with one public text; `detail` says which check refused.
  Result<VerifiedToken> Verify(std::string_view token, WallTime now) const;

 private:
  struct Key {
    std::string encoded_header;  // with the dot that follows it
    HmacSha256Key hmac;
  };
  JwtRing(std::vector<Key> keys, std::string issuer, std::string audience)
      : keys_(std::move(keys)), issuer_(std::move(issuer)), audience_(std::move(audience)) {}
  Result<Claims> ReadClaims(std::string_view payload) const;

  std::vector<Key> keys_;
  std::string issuer_, audience_;
};

}  // namespace nd::session
