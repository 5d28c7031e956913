#include "session/jwt.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace nd::session {

namespace {

constexpr std::size_t kMaxKeyId = 64;
constexpr std::size_t kMaxClaim = 128;                     // bytes; the longest of ours is the issuer
constexpr std::int64_t kMaxNumericDate = 253'402'300'799;  // 9999-12-31
constexpr JsonLimits kPayloadLimits{.max_depth = 1, .max_values = 16};

Error Refused(std::string detail) {
  return Unauthenticated("The session token is not valid or has expired. Sign in again.", std::move(detail));
}

std::string EncodedHeader(std::string_view key_id) {
  std::string header;
  JsonWriter(header).BeginObject().Member("alg", "HS256").Member("kid", key_id).Member("typ", "at+jwt").EndObject();
  return EncodeBase64Url(header) + ".";
}

// base64url characters and exactly two dots: braces, quotes, padding and white space end here, before any of it counts.
bool HasCompactForm(std::string_view token) {
  int dots = 0;
  for (const char c : token) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) continue;
    if (c != '.') return false;
    ++dots;
  }
  return dots == 2;
}

}  // namespace

Result<JwtRing> JwtRing::Create(std::vector<NewKey> keys, std::string issuer, std::string audience) {
  if (keys.empty()) return InvalidInput("No key to sign session tokens with.");
  std::vector<Key> ring;
  for (NewKey& key : keys) {
    if (!IsName(key.id, kMaxKeyId)) return InvalidInput("The id of a token key must be 1 to 64 of [A-Za-z0-9._-].");
    if (key.key.size() < kJwtMinKeySize) return InvalidInput("A key for session tokens needs at least 32 bytes.");
    std::string header = EncodedHeader(key.id);
    const bool twice = std::any_of(ring.begin(), ring.end(), [&](const Key& k) { return k.encoded_header == header; });
    if (twice) return InvalidInput("Two keys for session tokens have the same id.");
    ring.push_back({std::move(header), HmacSha256Key(std::move(key.key))});
  }
  return JwtRing(std::move(ring), std::move(issuer), std::move(audience));
}

std::string JwtRing::Sign(const Claims& claims) const {
  std::string payload;
  JsonWriter(payload)
      .BeginObject()
      .Member("iss", issuer_)
      .Member("aud", audience_)
      .Member("sub", claims.subject)
      .Member("sid", claims.session)
      .Member("iat", claims.issued_at)
      .Member("exp", claims.expires_at)
      .Member("jti", claims.token_id)
      .EndObject();
  std::string token = keys_.front().encoded_header + EncodeBase64Url(payload);
  const std::array<char, 32> mac = keys_.front().hmac.Sign(token);
  return token.append(".").append(EncodeBase64Url({mac.data(), mac.size()}));
}

Result<VerifiedToken> JwtRing::Verify(std::string_view token, WallTime now) const {
  if (token.size() > kJwtMaxSize) return Refused("too long");
  if (!HasCompactForm(token)) return Refused("not a compact JWT");
  const std::size_t last_dot = token.rfind('.');
  const std::optional<std::string> tag = DecodeBase64Url(token.substr(last_dot + 1));
  if (!tag) return Refused("the tag is not base64url");

  // The header's bytes are fixed by the key: one comparison settles alg, kid and typ, and what else a header may try.
  const auto key =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return token.starts_with(k.encoded_header); });
  if (key == keys_.end()) return Refused("no key of ours has this header");
  const std::string_view signed_part = token.substr(0, last_dot);
  if (signed_part.size() < key->encoded_header.size()) return Refused("no payload");
  if (!key->hmac.Verify(signed_part, *tag)) return Refused("the MAC does not match");

  ND_ASSIGN(Claims claims, ReadClaims(signed_part.substr(key->encoded_header.size())));
  const std::int64_t seconds = UnixSeconds(now);
  if (seconds >= claims.expires_at) return Refused("expired");
  if (claims.issued_at > seconds + kJwtFutureLimit.count()) return Refused("issued in the future");
  return VerifiedToken(std::move(claims));
}

Result<Claims> JwtRing::ReadClaims(std::string_view payload) const {
  const std::optional<std::string> text = DecodeBase64Url(payload);
  if (!text) return Refused("the payload is not base64url");
  const auto document = ParseJson(*text, kPayloadLimits);
  if (!document.ok()) return Refused("the payload is not acceptable JSON");
  ObjectReader reader(document->root());
  const std::string_view issuer = reader.String("iss", 1, kMaxClaim);
  const std::string_view audience = reader.String("aud", 1, kMaxClaim);
  Claims claims;
  claims.subject = reader.String("sub", 1, kMaxClaim);
  claims.session = reader.String("sid", 1, kMaxClaim);
  claims.token_id = reader.String("jti", 1, kMaxClaim);
  claims.issued_at = reader.Integer("iat", 0, kMaxNumericDate);
  claims.expires_at = reader.Integer("exp", 0, kMaxNumericDate);
  if (!reader.Finish().ok()) return Refused("a claim is missing, malformed or unknown");
  if (issuer != issuer_) return Refused("another issuer");
  if (audience != audience_) return Refused("another audience");
  return claims;
}

}  // namespace nd::session
