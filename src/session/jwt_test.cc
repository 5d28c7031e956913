#include "session/jwt.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nd::session {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::string_view kHeader = R"({"alg":"HS256","kid":"a","typ":"at+jwt"})";

std::string Key() { return std::string(32, 'k'); }

JwtRing Ring(std::string_view id = "a", std::string_view key = "") {
  std::vector<JwtRing::NewKey> keys;
  keys.push_back({std::string(id), Secret(key.empty() ? Key() : std::string(key))});
  auto ring = JwtRing::Create(std::move(keys), "neuraldeck:d", "neuraldeck");
  EXPECT_TRUE(ring.ok());
  return *std::move(ring);
}

Claims SomeClaims() { return {"alice", "session-id", "token-id", kNow, kNow + 900}; }

WallTime At(std::int64_t second) { return WallTime(seconds(second)); }

// A token with any header and payload, signed by the right key.
std::string Signed(std::string_view header, std::string_view payload) {
  const std::string part = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  const auto mac = HmacSha256Key(Secret(Key())).Sign(part);
  return part + "." + EncodeBase64Url({mac.data(), mac.size()});
}

std::string Payload(std::string_view iss = R"("neuraldeck:d")", std::string_view aud = R"("neuraldeck")",
                    std::string_view iat = "1800000000", std::string_view exp = "1800000900",
                    std::string_view more = "") {
  return std::string(R"({"iss":)").append(iss) + R"(,"aud":)" + std::string(aud) +
         R"(,"sub":"alice","sid":"s","iat":)" + std::string(iat) + R"(,"exp":)" + std::string(exp) + R"(,"jti":"j")" +
         std::string(more) + "}";
}

// Empty if accepted, else the reason.
std::string Refusal(std::string_view token, std::int64_t now = kNow) {
  const auto result = Ring().Verify(token, At(now));
  if (result.ok()) return "";
  EXPECT_EQ(result.error().kind, ErrorKind::kUnauthenticated);
  EXPECT_EQ(result.error().code, "unauthenticated");
  return result.error().detail;
}

// RFC 7515, appendix A.1: the key and the signature of its HS256 example.
TEST(Jwt, SignsAsRfc7515Does) {
  const auto key =
      DecodeBase64Url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  const std::string_view input =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const HmacSha256Key hmac{Secret(*key)};
  const auto mac = hmac.Sign(input);
  const std::string signature = EncodeBase64Url({mac.data(), mac.size()});
  EXPECT_EQ(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_TRUE(hmac.Verify(input, *DecodeBase64Url(signature)));
}

TEST(Jwt, ComesBackAsItWasSigned) {
  const auto verified = Ring().Verify(Ring().Sign(SomeClaims()), At(kNow));
  ASSERT_TRUE(verified.ok()) << verified.error().detail;
  EXPECT_EQ(verified->claims().subject, "alice");
  EXPECT_EQ(verified->claims().session, "session-id");
  EXPECT_EQ(verified->claims().token_id, "token-id");
  EXPECT_EQ(verified->claims().issued_at, kNow);
  EXPECT_EQ(verified->claims().expires_at, kNow + 900);
}

TEST(Jwt, HasTheDocumentedHeaderToTheByte) {
  const std::string token = Ring().Sign(SomeClaims());
  EXPECT_EQ(DecodeBase64Url(token.substr(0, token.find('.'))), kHeader);
  EXPECT_EQ(Refusal(Signed(kHeader, Payload())), "");  // the hand-made one is the same to us
}

TEST(Jwt, RefusesEveryOtherHeaderEvenWhenSignedByTheRightKey) {
  for (const std::string_view header :
       {R"({"alg":"none","kid":"a","typ":"at+jwt"})", R"({"alg":"nOnE","kid":"a","typ":"at+jwt"})",
        R"({"alg":"hs256","kid":"a","typ":"at+jwt"})", R"({"alg":"HS512","kid":"a","typ":"at+jwt"})",
        R"({"alg":"RS256","kid":"a","typ":"at+jwt"})", R"({"alg":"HS256","kid":"b","typ":"at+jwt"})",
        R"({"alg":"HS256","kid":"../../dev/null","typ":"at+jwt"})", R"({"alg":"HS256","kid":"a","typ":"JWT"})",
        R"({"alg":"HS256","kid":"a","typ":"refresh+jwt"})", R"({"alg":"HS256","kid":"a"})",
        R"({"alg":"HS256","typ":"at+jwt"})", R"({"typ":"at+jwt","kid":"a","alg":"HS256"})",
        R"({"alg":"HS256","kid":"a","typ":"at+jwt","jku":"https://evil.example"})",
        R"({"alg":"HS256","kid":"a","typ":"at+jwt","crit":["exp"]})", R"({"alg":"HS256", "kid":"a","typ":"at+jwt"})",
        R"({})", ""}) {
    EXPECT_EQ(Refusal(Signed(header, Payload())), "no key of ours has this header") << header;
  }
}

TEST(Jwt, RefusesNoneWithoutATag) {
  const std::string payload = EncodeBase64Url(Payload());
  EXPECT_NE(Refusal(EncodeBase64Url(R"({"alg":"none","typ":"at+jwt"})") + "." + payload + "."), "");
  EXPECT_EQ(Refusal(EncodeBase64Url(kHeader) + "." + payload + "."), "the MAC does not match");
}

TEST(Jwt, RefusesEveryFlippedCharacter) {
  const std::string token = Ring().Sign(SomeClaims());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(Refusal(forged), "") << i;
  }
}

TEST(Jwt, RefusesEveryTruncationAndExtension) {
  const std::string token = Ring().Sign(SomeClaims());
  for (std::size_t size = 0; size < token.size(); ++size) EXPECT_NE(Refusal(token.substr(0, size)), "") << size;
  for (const char* tail : {".", "A", "=", "==", " ", "\n", ".e30", "\"", "{"}) {
    EXPECT_NE(Refusal(token + tail), "") << tail;
  }
  EXPECT_NE(Refusal("." + token), "");
  EXPECT_NE(Refusal(" " + token), "");
  EXPECT_NE(Refusal("Bearer " + token), "");
  EXPECT_NE(Refusal(token + std::string(1, '\0')), "");
}

TEST(Jwt, RefusesAnythingButBase64UrlAndTwoDots) {
  EXPECT_EQ(Refusal(""), "not a compact JWT");
  EXPECT_EQ(Refusal("a.b"), "not a compact JWT");
  EXPECT_EQ(Refusal("a.b.c.d"), "not a compact JWT");
  EXPECT_EQ(Refusal(R"({"payload":"a.b.c"})"), "not a compact JWT");
  EXPECT_EQ(Refusal("a+b.c.d"), "not a compact JWT");
  EXPECT_EQ(Refusal("a/b.c.d"), "not a compact JWT");
  EXPECT_NE(Refusal(".."), "");
  const std::string head = EncodeBase64Url(kHeader);
  EXPECT_NE(Refusal(head + ".."), "");
  EXPECT_NE(Refusal(head.substr(0, head.size() - 1) + ".."), "");
}

TEST(Jwt, RefusesATagWithUnusedBitsSet) {
  std::string token = Ring().Sign(SomeClaims());
  // 32 bytes end in a character that carries 4 bits: the two below them must be zero.
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t last = kAlphabet.find(token.back());
  ASSERT_EQ(last % 4, 0U);
  token.back() = kAlphabet[last + 1];
  EXPECT_EQ(Refusal(token), "the tag is not base64url");
}

TEST(Jwt, IsReadUpToItsMaximumSize) {
  // A payload of spaces pads to the wanted size; spaces between members are JSON.
  const auto sized = [](std::size_t wanted) {
    for (std::size_t spaces = 2500; spaces < 3200; ++spaces) {
      std::string token = Signed(kHeader, Payload() + std::string(spaces, ' '));
      if (token.size() >= wanted) return token;
    }
    return std::string();
  };
  const std::string at = sized(kJwtMaxSize - 1);
  ASSERT_LE(at.size(), kJwtMaxSize);
  EXPECT_EQ(Refusal(at), "");
  const std::string over = sized(kJwtMaxSize + 1);
  EXPECT_EQ(Refusal(over), "too long");
  EXPECT_NE(Refusal(std::string(kJwtMaxSize, 'a')), "too long");
  EXPECT_EQ(Refusal(std::string(kJwtMaxSize + 1, 'a')), "too long");
}

TEST(Jwt, EndsAtItsExpiryWithoutLeeway) {
  const std::string token = Ring().Sign(SomeClaims());
  EXPECT_EQ(Refusal(token, kNow + 899), "");
  EXPECT_EQ(Refusal(token, kNow + 900), "expired");
  EXPECT_EQ(Refusal(token, kNow + 901), "expired");
  EXPECT_TRUE(Ring().Verify(token, At(kNow + 900) - std::chrono::microseconds(1)).ok());
}

TEST(Jwt, MayBeIssuedThirtySecondsInTheFuture) {
  const std::string token = Ring().Sign(SomeClaims());
  EXPECT_EQ(Refusal(token, kNow - 29), "");
  EXPECT_EQ(Refusal(token, kNow - 30), "");
  EXPECT_EQ(Refusal(token, kNow - 31), "issued in the future");
}

TEST(Jwt, RefusesWrongMissingOrMistypedClaims) {
  EXPECT_EQ(Refusal(Signed(kHeader, Payload(R"("neuraldeck:e")"))), "another issuer");
  EXPECT_EQ(Refusal(Signed(kHeader, Payload(R"("neuraldeck:d")", R"("other")"))), "another audience");
  for (const std::string& payload :
       {Payload(R"(["neuraldeck:d"])"), Payload("null"), Payload(R"("neuraldeck:d")", R"(["neuraldeck"])"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "\"1800000000\""),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "1800000000.5"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "-1"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "1800000000", "1e99"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "1800000000", "true"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "1800000000", "1800000900", R"(,"admin":true)"),
        Payload(R"("neuraldeck:d")", R"("neuraldeck")", "1800000000", "1800000900", R"(,"exp":1900000000)"),
        std::string("[]"), std::string("{}"), std::string(""), std::string("null"), Payload() + "x",
        Payload() + Payload()}) {
    EXPECT_NE(Refusal(Signed(kHeader, payload)), "") << payload;
  }
  // Each claim is needed.
  for (const std::string_view claim : {R"("iss":"neuraldeck:d",)", R"("aud":"neuraldeck",)", R"("sub":"alice",)",
                                       R"("sid":"s",)", R"("iat":1800000000,)", R"("exp":1800000900,)"}) {
    std::string payload = Payload();
    payload.erase(payload.find(claim), claim.size());
    EXPECT_EQ(Refusal(Signed(kHeader, payload)), "a claim is missing, malformed or unknown") << payload;
  }
}

TEST(Jwt, OldKeysOfTheRingVerifyAndTheFirstSigns) {
  std::vector<JwtRing::NewKey> keys;
  keys.push_back({"b", Secret(std::string(32, 'n'))});
  keys.push_back({"a", Secret(Key())});
  const auto ring = JwtRing::Create(std::move(keys), "neuraldeck:d", "neuraldeck");
  ASSERT_TRUE(ring.ok());
  EXPECT_TRUE(ring->Verify(Ring().Sign(SomeClaims()), At(kNow)).ok());
  const std::string fresh = ring->Sign(SomeClaims());
  EXPECT_TRUE(ring->Verify(fresh, At(kNow)).ok());
  EXPECT_EQ(Refusal(fresh), "no key of ours has this header");
}

TEST(Jwt, TheKeyIdDoesNotLendItsNameToAnotherKey) {
  EXPECT_FALSE(Ring().Verify(Ring("a", std::string(32, 'x')).Sign(SomeClaims()), At(kNow)).ok());
}

TEST(Jwt, RefusesUnusableKeyRings) {
  const auto create = [](std::vector<std::pair<std::string, std::size_t>> wanted) {
    std::vector<JwtRing::NewKey> keys;
    for (const auto& [id, size] : wanted) keys.push_back({id, Secret(std::string(size, 'x'))});
    return JwtRing::Create(std::move(keys), "i", "a").ok();
  };
  EXPECT_FALSE(create({}));
  EXPECT_FALSE(create({{"a", kJwtMinKeySize - 1}}));
  EXPECT_TRUE(create({{"a", kJwtMinKeySize}}));
  EXPECT_TRUE(create({{"a", kJwtMinKeySize + 1}}));
  EXPECT_FALSE(create({{"", 32}}));
  EXPECT_FALSE(create({{"a\"", 32}}));
  EXPECT_TRUE(create({{std::string(64, 'k'), 32}}));
  EXPECT_FALSE(create({{std::string(65, 'k'), 32}}));
  EXPECT_FALSE(create({{"a", 32}, {"a", 33}}));
}

}  // namespace
}  // namespace nd::session
