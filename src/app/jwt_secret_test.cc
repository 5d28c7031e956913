#include "app/jwt_secret.h"

#include <gtest/gtest.h>

#include <string>

namespace nd::app {
namespace {

// The published way to make one: 48 random bytes in base64.
constexpr char kGood[] = "q0J3uQ0R1mZ5b8T4kW7xY2cV6nL9pD1sF3gH5jK7aE8rB0tN";

TEST(JwtSecret, AcceptsRandomText) {
  EXPECT_TRUE(CheckJwtSecret(Secret(kGood)).ok());
  EXPECT_TRUE(CheckJwtSecret(Secret("9f86d081884c7d659a2feaa0c55ad015")).ok());
  EXPECT_TRUE(CheckJwtSecret(Secret("prod_jwt_secret_9f86d081884c7d659a2feaa0c55ad015")).ok());
}

TEST(JwtSecret, NeedsThirtyTwoBytes) {
  const std::string_view good = kGood;
  EXPECT_FALSE(CheckJwtSecret(Secret(good.substr(0, 31))).ok());
  EXPECT_TRUE(CheckJwtSecret(Secret(good.substr(0, 32))).ok());
  EXPECT_TRUE(CheckJwtSecret(Secret(good.substr(0, 33))).ok());
}

TEST(JwtSecret, RefusesPublishedPlaceholdersHoweverLong) {
  for (const char* text :
       {"changeme", "secret", "dev-secret", "your-secret-key-change-in-production-0123456789",
        "CHANGE_ME_CHANGE_ME_CHANGE_ME_123456", "your_jwt_secret_here_make_it_long_and_random",
        "super-secret-jwt-token-with-at-least-32-characters-long", "replace-with-32-random-bytes-or-more-please",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "00000000000000000000000000000000",
        "abababababababababababababababababab", "secretsecretsecretsecretsecretsecret",
        "passwordpasswordpasswordpassword", "0123456789012345678901234567890123456789",
        "abcdefghijklmnopqrstuvwxyz0123456789", "zyxwvutsrqponmlkjihgfedcba987654321"}) {
    const auto checked = CheckJwtSecret(Secret(text));
    ASSERT_FALSE(checked.ok()) << text;
    EXPECT_EQ(checked.error().kind, ErrorKind::kForbidden);
    EXPECT_NE(checked.error().public_text.find("openssl rand"), std::string::npos);
  }
}

TEST(JwtSecret, DoesNotEchoWhatWasGiven) {
  const auto checked = CheckJwtSecret(Secret("Xq7-short"));
  EXPECT_EQ(checked.error().public_text.find("Xq7"), std::string::npos);
}

}  // namespace
}  // namespace nd::app
