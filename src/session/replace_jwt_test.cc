#include <gtest/gtest.h>

#include "session/test_deck.h"

namespace nd::session {
namespace {

class ReplaceJwt : public TestDeck {
 protected:
  static std::vector<SigningKey> Ring(std::initializer_list<std::pair<const char*, char>> keys) {
    std::vector<SigningKey> ring;
    for (const auto& [id, byte] : keys) ring.push_back({id, Secret(std::string(32, byte))});
    return ring;
  }
};

TEST_F(ReplaceJwt, TheNewKeySignsAtOnceAndTheOldStillVerifies) {
  AddUser("alice");
  const Grant before = SignIn("alice");
  ASSERT_TRUE(sessions_->ReplaceJwtKeys(Ring({{"second", 'k'}, {"first", 'j'}})).ok());
  const Grant after = SignIn("alice");
  EXPECT_EQ(Verify(before.access_token), "ok");
  EXPECT_EQ(Verify(after.access_token), "ok");

  ASSERT_TRUE(sessions_->ReplaceJwtKeys(Ring({{"second", 'k'}})).ok());
  EXPECT_EQ(Verify(before.access_token), "unauthenticated");
  EXPECT_EQ(Verify(after.access_token), "ok");
}

TEST_F(ReplaceJwt, ARingThatCannotBeLeavesTheOldOneInForce) {
  AddUser("alice");
  const Grant grant = SignIn("alice");
  EXPECT_FALSE(sessions_->ReplaceJwtKeys({}).ok());
  EXPECT_FALSE(sessions_->ReplaceJwtKeys(Ring({{"twice", 'a'}, {"twice", 'b'}})).ok());
  EXPECT_EQ(Verify(grant.access_token), "ok");
  EXPECT_EQ(Verify(SignIn("alice").access_token), "ok");
}

}  // namespace
}  // namespace nd::session
