#include "crypto/password.h"

#include <gtest/gtest.h>

#include "crypto/init.h"

namespace nd {
namespace {

constexpr std::uint64_t kOperations = 1;
constexpr std::size_t kMemory = 64 * 1024;  // small: these tests are about the text, not the strength

class Password : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(InitCrypto().ok()); }
};

TEST_F(Password, VerifiesOnlyItself) {
  const auto hash = HashPassword("correct horse", kOperations, kMemory);
  ASSERT_TRUE(hash.ok());
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << *hash;
  EXPECT_TRUE(VerifyPassword(*hash, "correct horse"));
  EXPECT_FALSE(VerifyPassword(*hash, "Correct horse"));
  EXPECT_FALSE(VerifyPassword(*hash, "correct horse "));
  EXPECT_FALSE(VerifyPassword(*hash, ""));
}

TEST_F(Password, IsSaltedAnewEachTime) {
  const auto first = HashPassword("same", kOperations, kMemory);
  const auto second = HashPassword("same", kOperations, kMemory);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
}

TEST_F(Password, KeepsBytesAfterAZero) {
  const auto hash = HashPassword(std::string_view("a\0b", 3), kOperations, kMemory);
  ASSERT_TRUE(hash.ok());
  EXPECT_TRUE(VerifyPassword(*hash, std::string_view("a\0b", 3)));
  EXPECT_FALSE(VerifyPassword(*hash, std::string_view("a\0c", 3)));
  EXPECT_FALSE(VerifyPassword(*hash, "a"));
}

// argon2 reference implementation, test.c, version 0x13: Argon2id, t=2, m=2^16 KiB, p=1, "password", "somesalt".
TEST_F(Password, AgreesWithTheReferenceImplementation) {
  EXPECT_TRUE(VerifyPassword("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                             "password"));
}

TEST_F(Password, RefusesTextThatIsNoHash) {
  const auto hash = HashPassword("x", kOperations, kMemory);
  ASSERT_TRUE(hash.ok());
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("$argon2id$"), hash->substr(0, 40), *hash + std::string(200, 'A'),
        *hash + std::string(1, '\0'), "$argon2i$" + hash->substr(10)}) {
    EXPECT_FALSE(VerifyPassword(text, "x")) << text;
    EXPECT_TRUE(PasswordNeedsRehash(text, kOperations, kMemory)) << text;
  }
}

TEST_F(Password, KnowsHashesOfOtherParameters) {
  const auto hash = HashPassword("x", kOperations, kMemory);
  ASSERT_TRUE(hash.ok());
  EXPECT_FALSE(PasswordNeedsRehash(*hash, kOperations, kMemory));
  EXPECT_TRUE(PasswordNeedsRehash(*hash, kOperations + 1, kMemory));
  EXPECT_TRUE(PasswordNeedsRehash(*hash, kOperations, kMemory * 2));
}

TEST_F(Password, RefusesParametersOutOfRange) {
  EXPECT_FALSE(HashPassword("x", 0, kMemory).ok());
  EXPECT_FALSE(HashPassword("x", 1, 8191).ok());
  EXPECT_TRUE(HashPassword("x", 1, 8192).ok());
  EXPECT_FALSE(HashPassword("x", 1, std::size_t{1} << 43).ok());
}

}  // namespace
}  // namespace nd
