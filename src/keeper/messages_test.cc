#include "keeper/messages.h"

#include <gtest/gtest.h>

#include "ipc/fields.h"

namespace nd::keeper {
namespace {

// A decoder takes the message whole: any byte less or more is refused.
template <class Decode>
void ExpectStrict(const ipc::Bytes& bytes, Decode decode) {
  const std::string_view whole = ipc::View(bytes);
  EXPECT_TRUE(decode(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode(whole.substr(0, size)).ok()) << size;
  EXPECT_FALSE(decode(std::string(whole) + '\0').ok());
}

TEST(Messages, AreStrict) {
  ExpectStrict(Encode(PutKeyMessage{"p", "alice", "work", Secret("sk-12345678")}), DecodePutKey);
  ExpectStrict(Encode(KeyReference{"p", "alice"}), DecodeKeyReference);
  ExpectStrict(Encode(CallStartMessage{"p", "alice", Endpoint::kMessages, {{"accept", "*/*"}}, 3}), DecodeCallStart);
  ExpectStrict(Encode(CallHead{429, "application/json", "slow_down", 7}), DecodeCallHead);
  ExpectStrict(Encode(std::vector<ProviderInfo>{{"a", Protocol::kAnthropic}, {"b", Protocol::kOpenAi}}),
               DecodeProviders);
  ExpectStrict(Encode(VaultStatus{"/p", "v", "r", "file", 3, 2, {"a/b"}}), DecodeStatus);
  ExpectStrict(EncodeNumber(5), DecodeNumber);
  ExpectStrict(EncodeText("ok"), DecodeText);
  KeyInfo key;
  key.provider = "p";
  key.last_used_at = WallTime(std::chrono::seconds(9));
  ExpectStrict(Encode(key), DecodeKey);
  ExpectStrict(Encode(std::vector<KeyInfo>(2, key)), DecodeKeys);
  FrontSecrets secrets;
  secrets.jwt.emplace_back("kid", Secret("0123"));
  ExpectStrict(Encode(secrets), DecodeFrontSecrets);
}

TEST(Messages, ComeBackAsTheyWere) {
  const auto start = DecodeCallStart(
      ipc::View(Encode(CallStartMessage{"p", "u", Endpoint::kModels, {{"accept", "x"}, {"b", ""}}, 9})));
  ASSERT_TRUE(start.ok());
  EXPECT_EQ(start->provider, "p");
  EXPECT_EQ(start->user, "u");
  EXPECT_EQ(start->endpoint, Endpoint::kModels);
  EXPECT_EQ(start->headers, (std::vector<std::pair<std::string, std::string>>{{"accept", "x"}, {"b", ""}}));
  EXPECT_EQ(start->body_size, 9U);
  const auto put = DecodePutKey(ipc::View(Encode(PutKeyMessage{"p", "o", "l", Secret("secret")})));
  EXPECT_EQ(put->key.ExposeSecret(), "secret");
  EXPECT_EQ(DecodeCallHead(ipc::View(Encode(CallHead{200, "a/b", "", {}})))->retry_after_seconds, std::nullopt);
}

TEST(Messages, BoundTheRequestBodyAtItsLimit) {
  const auto with_size = [](std::uint32_t size) {
    return DecodeCallStart(ipc::View(Encode(CallStartMessage{"p", "u", Endpoint::kMessages, {}, size}))).ok();
  };
  EXPECT_TRUE(with_size(kMaxRequestBody - 1));
  EXPECT_TRUE(with_size(kMaxRequestBody));
  EXPECT_FALSE(with_size(kMaxRequestBody + 1));
}

TEST(Messages, BoundTheHeadersAtTheirLimit) {
  const auto with_headers = [](std::size_t count) {
    CallStartMessage start;
    start.headers.assign(count, {"accept", "x"});
    return DecodeCallStart(ipc::View(Encode(start))).ok();
  };
  EXPECT_TRUE(with_headers(kMaxPassedHeaders));
  EXPECT_FALSE(with_headers(kMaxPassedHeaders + 1));
}

TEST(Messages, TakeOnlyAPlausibleStatus) {
  const auto with_status = [](int status) {
    return DecodeCallHead(ipc::View(Encode(CallHead{status, "", "", {}}))).ok();
  };
  EXPECT_FALSE(with_status(199));
  EXPECT_TRUE(with_status(200));
  EXPECT_TRUE(with_status(599));
  EXPECT_FALSE(with_status(600));
}

TEST(Messages, CarryErrorsUnderCodesOfOursOnly) {
  const Error error = DecodeError(ipc::View(Encode(RateLimited("slow", 9, "why"))));
  EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error.code, "rate_limited");
  EXPECT_EQ(error.public_text, "slow");
  EXPECT_EQ(error.detail, "why");
  EXPECT_EQ(error.retry_after_seconds, 9);
  EXPECT_EQ(DecodeError(ipc::View(Encode(WithCode(NotFound("x"), "made_up")))).code, "not_found");
  EXPECT_EQ(DecodeError("garbage").kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace nd::keeper
