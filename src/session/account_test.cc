#include "session/account.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "session/sessions.h"

namespace nd::session {
namespace {

TEST(CanonicalUser, MakesOneNameOfAllItsSpellings) {
  for (const std::string_view text : {"alice", " Alice ", "ALICE", "\taLiCe"}) EXPECT_EQ(*CanonicalUser(text), "alice");
  EXPECT_EQ(*CanonicalUser("Ann.B_c-d@Example.ORG"), "ann.b_c-d@example.org");
  EXPECT_EQ(*CanonicalUser("7of9"), "7of9");
}

TEST(CanonicalUser, RefusesEverythingElse) {
  for (const std::string_view text : {"", " ", ".a", "-a", "_a", "@a", "a b", "a/b", "a\nb", "a\"b", "a'b",
                                      "al\xc3\xa9", "\xd0\xb0lice", "a:b", "\nalice", "a,b", "a+b"}) {
    EXPECT_FALSE(CanonicalUser(text).ok()) << text;
  }
  EXPECT_FALSE(CanonicalUser(std::string_view("a\0b", 3)).ok());
}

TEST(CanonicalUser, HasItsLengthLimit) {
  EXPECT_TRUE(CanonicalUser(std::string(1, 'a')).ok());
  EXPECT_TRUE(CanonicalUser(std::string(kMaxUser - 1, 'a')).ok());
  EXPECT_TRUE(CanonicalUser(std::string(kMaxUser, 'a')).ok());
  EXPECT_FALSE(CanonicalUser(std::string(kMaxUser + 1, 'a')).ok());
}

TEST(NewPassword, HasItsLengthLimits) {
  const auto good = [](std::size_t size) { return CheckNewPassword(std::string(size, 'p'), "alice").ok(); };
  EXPECT_FALSE(good(0));
  EXPECT_FALSE(good(kMinPassword - 1));
  EXPECT_TRUE(good(kMinPassword));
  EXPECT_TRUE(good(kMinPassword + 1));
  EXPECT_TRUE(good(kMaxPassword - 1));
  EXPECT_TRUE(good(kMaxPassword));
  EXPECT_FALSE(good(kMaxPassword + 1));
}

TEST(NewPassword, IsUtf8AndNotTheUserName) {
  EXPECT_TRUE(CheckNewPassword("Größenwahn ist schön", "alice").ok());
  EXPECT_FALSE(CheckNewPassword("twelve bytes\xff", "alice").ok());
  EXPECT_FALSE(CheckNewPassword("administrator", "administrator").ok());
  EXPECT_FALSE(CheckNewPassword(" Administrator ", "administrator").ok());
}

TEST(NewPassword, IsNeverEchoed) {
  const auto refused = CheckNewPassword("hunter2", "alice");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().public_text.find("hunter2"), std::string::npos);
  EXPECT_EQ(refused.error().detail.find("hunter2"), std::string::npos);
}

TEST(UserAgent, IsCutBetweenCharactersAndMadePrintable) {
  EXPECT_EQ(CleanUserAgent("curl/8"), "curl/8");
  EXPECT_EQ(CleanUserAgent(std::string(255, 'a')).size(), 255U);
  EXPECT_EQ(CleanUserAgent(std::string(256, 'a')).size(), 256U);
  EXPECT_EQ(CleanUserAgent(std::string(257, 'a')).size(), 256U);
  EXPECT_EQ(CleanUserAgent(std::string(255, 'a') + "é"), std::string(255, 'a'));
  EXPECT_EQ(CleanUserAgent(std::string(254, 'a') + "é"), std::string(254, 'a') + "é");
  EXPECT_EQ(CleanUserAgent("a\r\nb\x7f"), "a??b?");
  EXPECT_TRUE(IsValidUtf8(CleanUserAgent(std::string(300, '\xff'))));
}

}  // namespace
}  // namespace nd::session
