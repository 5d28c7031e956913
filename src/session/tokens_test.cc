#include "session/tokens.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"

namespace nd::session {
namespace {

const std::string kSession = "0123456789abcdefghjkmnpqrs";

HmacSha256Key Key(char c = 'r') { return HmacSha256Key(Secret(std::string(32, c))); }

TEST(RefreshTokenText, ComesBackAsItWasMade) {
  for (const std::uint64_t generation : {std::uint64_t{1}, std::uint64_t{10}, kMaxGeneration}) {
    const std::string text = MakeRefreshToken(Key(), kSession, generation);
    const auto token = ParseRefreshToken(text);
    ASSERT_TRUE(token) << text;
    EXPECT_EQ(token->session, kSession);
    EXPECT_EQ(token->generation, generation);
    EXPECT_TRUE(IsGenuine(Key(), *token));
    EXPECT_FALSE(IsGenuine(Key('x'), *token));
    EXPECT_EQ(MakeRefreshToken(Key(), kSession, generation), text);  // computable: races get the identical one
  }
}

// docs/formats/tokens.md shows this one.
TEST(RefreshTokenText, IsTheDocumentedExample) {
  EXPECT_EQ(MakeRefreshToken(Key('r'), kSession, 2),
            "ndr_0123456789abcdefghjkmnpqrs_2_sFcf6pW5x949TsPzNSPn7DQue_NqrEhPVHxg4rX3TwY");
}

TEST(RefreshTokenText, OfAnotherGenerationOrSessionIsNotGenuine) {
  const std::string text = MakeRefreshToken(Key(), kSession, 12);
  auto token = ParseRefreshToken(text);
  ASSERT_TRUE(token);
  token->generation = 1;
  EXPECT_FALSE(IsGenuine(Key(), *token));
  token->generation = 12;
  const std::string other = "1" + kSession.substr(1);
  token->session = other;
  EXPECT_FALSE(IsGenuine(Key(), *token));
}

TEST(RefreshTokenText, IsReadStrictly) {
  const std::string text = MakeRefreshToken(Key(), kSession, 12);
  const std::string mac = text.substr(text.size() - 43);
  const std::string stem = "ndr_" + kSession + "_";
  ASSERT_EQ(text, stem + "12_" + mac);
  for (const std::string& bad : {std::string(),
                                 std::string("ndr_"),
                                 text + "A",
                                 text.substr(0, text.size() - 1),
                                 " " + text,
                                 text + "=",
                                 "nda_" + text.substr(4),
                                 "NDR_" + text.substr(4),
                                 stem + "_" + mac,
                                 stem + "0_" + mac,
                                 stem + "012_" + mac,
                                 stem + "-12_" + mac,
                                 stem + "+12_" + mac,
                                 stem + "12 _" + mac,
                                 stem + "1000000000_" + mac,
                                 stem + "12__" + mac,
                                 stem + "12." + mac,
                                 "ndr_" + kSession.substr(1) + "_12_" + mac,
                                 "ndr_" + kSession + "0_12_" + mac,
                                 "ndr_" + LowerAscii(kSession.substr(1)) + "L_12_" + mac,
                                 "ndr_" + kSession.substr(1) + "l_12_" + mac,
                                 stem + "12_" + mac.substr(1) + "+"}) {
    EXPECT_FALSE(ParseRefreshToken(bad)) << bad;
  }
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(ParseRefreshToken(text.substr(0, size))) << size;
}

TEST(Generation, HasItsBounds) {
  EXPECT_FALSE(ParseGeneration("0"));
  EXPECT_EQ(ParseGeneration("1"), 1U);
  EXPECT_EQ(ParseGeneration("999999998"), kMaxGeneration - 1);
  EXPECT_EQ(ParseGeneration("999999999"), kMaxGeneration);
  EXPECT_FALSE(ParseGeneration("1000000000"));
  EXPECT_FALSE(ParseGeneration("18446744073709551617"));
  EXPECT_FALSE(ParseGeneration(""));
  EXPECT_FALSE(ParseGeneration("1a"));
}

TEST(AgentTokenText, ComesBackEvenIfTheSecretHoldsUnderscores) {
  const std::string secret(32, '\xff');  // "____...8" in base64url
  const std::string text = FormatAgentToken("0123456789abcdef", secret);
  EXPECT_NE(text.find("_____"), std::string::npos);
  const auto token = ParseAgentToken(text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->id, "0123456789abcdef");
  EXPECT_EQ(token->secret, secret);
}

TEST(AgentTokenText, IsReadStrictly) {
  const std::string text = FormatAgentToken("0123456789abcdef", std::string(32, 'x'));
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(ParseAgentToken(text.substr(0, size))) << size;
  EXPECT_FALSE(ParseAgentToken(text + "A"));
  EXPECT_FALSE(ParseAgentToken("nda_0123456789abcdeF" + text.substr(20)));
  EXPECT_FALSE(ParseAgentToken("nda_0123456789abcde_" + text.substr(20)));
  EXPECT_FALSE(ParseAgentToken("nda_0123456789abcdef-" + text.substr(21)));
}

TEST(SetupTokenText, ComesBackAndIsReadStrictly) {
  const std::string secret(32, 's');
  const std::string text = FormatSetupToken(secret);
  EXPECT_EQ(ParseSetupToken(text), secret);
  EXPECT_FALSE(ParseSetupToken(text + "A"));
  EXPECT_FALSE(ParseSetupToken(text.substr(1)));
  EXPECT_FALSE(ParseSetupToken(""));
}

TEST(RandomBase32, IsOfItsAlphabetAndDoesNotRepeat) {
  SystemRandom random;
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = RandomBase32(random, kAgentIdSize);
    EXPECT_TRUE(IsBase32(id, kAgentIdSize));
    EXPECT_TRUE(seen.insert(id).second);
    letters.insert(id.begin(), id.end());
  }
  EXPECT_EQ(letters.size(), 32U);
}

}  // namespace
}  // namespace nd::session
