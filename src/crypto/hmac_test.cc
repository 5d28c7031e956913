#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/text.h"

namespace nd {
namespace {

std::string Hex(const std::array<char, 32>& tag) { return EncodeHex({tag.data(), tag.size()}); }
std::string Bytes(std::size_t count, int byte) { return std::string(count, static_cast<char>(byte)); }

struct Vector {
  std::string key, data, tag;
};

// RFC 4231, section 4, test cases 1 to 7, HMAC-SHA-256.
std::vector<Vector> Rfc4231() {
  std::string counting;
  for (char c = 1; c <= 0x19; ++c) counting.push_back(c);
  return {
      {Bytes(20, 0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, Bytes(50, 0xcd), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(20, 0x0c), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},  // the RFC prints 128 bits
      {Bytes(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xaa),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
       "hashed "
       "before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
}

TEST(HmacSha256, AgreesWithRfc4231) {
  for (const Vector& vector : Rfc4231()) {
    const HmacSha256Key key{Secret(vector.key)};
    EXPECT_EQ(Hex(key.Sign(vector.data)).substr(0, vector.tag.size()), vector.tag) << vector.data;
  }
}

TEST(HmacSha256, SignsTheSameAgainAndAgain) {
  const HmacSha256Key key{Secret("Jefe")};
  const auto first = key.Sign("what do ya want for nothing?");
  EXPECT_NE(key.Sign(""), first);
  EXPECT_EQ(key.Sign("what do ya want for nothing?"), first);
}

TEST(HmacSha256, TakesAnEmptyKeyAsRfc2104PadsIt) {
  // Padding makes the empty key and 64 zero bytes the same key.
  EXPECT_EQ(HmacSha256Key{Secret()}.Sign("x"), HmacSha256Key{Secret(Bytes(64, 0))}.Sign("x"));
}

TEST(HmacSha256, VerifiesOnlyTheWholeTag) {
  const HmacSha256Key key{Secret("secret")};
  const auto signed_tag = key.Sign("message");
  const std::string tag(signed_tag.data(), signed_tag.size());
  EXPECT_TRUE(key.Verify("message", tag));
  EXPECT_FALSE(key.Verify("massage", tag));
  EXPECT_FALSE(key.Verify("message", ""));
  EXPECT_FALSE(key.Verify("message", tag.substr(0, 31)));
  EXPECT_FALSE(key.Verify("message", tag + "x"));
  EXPECT_FALSE(HmacSha256Key{Secret("Secret")}.Verify("message", tag));
  for (std::size_t i = 0; i < tag.size() * 8; ++i) {
    std::string flipped = tag;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(key.Verify("message", flipped)) << i;
  }
}

TEST(HmacSha256, CanBeMoved) {
  HmacSha256Key first{Secret("one")};
  const auto tag = first.Sign("m");
  HmacSha256Key second(std::move(first));
  EXPECT_EQ(second.Sign("m"), tag);
  HmacSha256Key third{Secret("three")};
  third = std::move(second);
  EXPECT_EQ(third.Sign("m"), tag);
}

TEST(HmacSha256, IsTheSameFromManyThreadsAtOnce) {
  const HmacSha256Key key{Secret("shared by all")};
  std::vector<std::array<char, 32>> expected;
  for (int i = 0; i < 64; ++i) expected.push_back(key.Sign(std::string(static_cast<std::size_t>(i), 'm')));
  std::vector<std::thread> threads;
  std::array<int, 24> wrong{};  // more threads than the key keeps contexts
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 500; ++i) {
        if (key.Sign(std::string(i % 64, 'm')) != expected[i % 64]) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace nd
