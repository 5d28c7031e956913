#include "session/csrf.h"

#include <gtest/gtest.h>

namespace nd::session {
namespace {

constexpr std::string_view kSession = "0123456789abcdefghjkmnpqrs";
constexpr std::string_view kOther = "1123456789abcdefghjkmnpqrs";

class Csrf : public ::testing::Test {
 protected:
  CsrfTokens tokens_{Secret(std::string(32, 'c'))};
  SystemRandom random_;
};

TEST_F(Csrf, NamesItsGeneration) {
  for (const std::uint64_t generation : {1U, 12U, 999'999'999U}) {
    EXPECT_EQ(tokens_.Generation(kSession, tokens_.Issue(kSession, generation, random_)), generation);
  }
}

TEST_F(Csrf, IsNeverTheSameTwice) {
  EXPECT_NE(tokens_.Issue(kSession, 1, random_), tokens_.Issue(kSession, 1, random_));
}

TEST_F(Csrf, IsBoundToSessionGenerationAndKey) {
  const std::string token = tokens_.Issue(kSession, 1, random_);
  EXPECT_FALSE(tokens_.Generation(kOther, token));
  EXPECT_FALSE(tokens_.Generation(kSession, "2" + token.substr(1)));
  EXPECT_FALSE(CsrfTokens(Secret(std::string(32, 'x'))).Generation(kSession, token));
}

TEST_F(Csrf, IsReadStrictly) {
  const std::string token = tokens_.Issue(kSession, 7, random_);
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(tokens_.Generation(kSession, token.substr(0, size))) << size;
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens_.Generation(kSession, forged)) << i;
  }
  EXPECT_FALSE(tokens_.Generation(kSession, token + "A"));
  EXPECT_FALSE(tokens_.Generation(kSession, "0" + token));
  EXPECT_FALSE(tokens_.Generation(kSession, " " + token));
  EXPECT_FALSE(tokens_.Generation(kSession, std::string(kCsrfMaxSize + 1, '1')));
  EXPECT_FALSE(tokens_.Generation(kSession, std::string(1'000'000, '.')));
}

}  // namespace
}  // namespace nd::session
