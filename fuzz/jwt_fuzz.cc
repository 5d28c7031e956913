// The access token verifier, twice per input: the bytes as they come, and the bytes as a payload that is signed
// properly, so that the claims reader is reached as well.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "session/jwt.h"

namespace {

using nd::session::JwtRing;

constexpr nd::WallTime kNow{std::chrono::seconds(1'800'000'000)};
const std::string kKey(32, 'k');

const JwtRing& Ring() {
  static const JwtRing ring = [] {
    std::vector<JwtRing::NewKey> keys;
    keys.push_back({"a", nd::Secret(kKey)});
    keys.push_back({"b", nd::Secret(std::string(48, 'b'))});
    return *JwtRing::Create(std::move(keys), "neuraldeck:d", "neuraldeck");
  }();
  return ring;
}

// What was accepted must be what we would have said ourselves, and comes back the same.
void CheckAccepted(const nd::session::VerifiedToken& token) {
  const auto& claims = token.claims();
  if (claims.subject.empty() || claims.session.empty() || claims.expires_at <= nd::UnixSeconds(kNow)) std::abort();
  const auto again = Ring().Verify(Ring().Sign(claims), kNow);
  if (!again.ok() || again->claims().subject != claims.subject || again->claims().session != claims.session)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto verified = Ring().Verify(input, kNow); verified.ok()) CheckAccepted(*verified);

  static const nd::HmacSha256Key hmac{nd::Secret(kKey)};
  const std::string part =
      nd::EncodeBase64Url(R"({"alg":"HS256","kid":"a","typ":"at+jwt"})") + "." + nd::EncodeBase64Url(input);
  const auto mac = hmac.Sign(part);
  const auto verified = Ring().Verify(part + "." + nd::EncodeBase64Url({mac.data(), mac.size()}), kNow);
  if (verified.ok()) CheckAccepted(*verified);
  return 0;
}
