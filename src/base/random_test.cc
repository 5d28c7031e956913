#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace nd {
namespace {

// Bytes that a test chose.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(char byte) : byte_(byte) {}
  void Fill(std::span<char> out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  char byte_;
};

WallTime At(std::int64_t millis) { return WallTime(std::chrono::milliseconds(millis)); }

TEST(SystemRandom, FillsEverySizeAndDoesNotRepeat) {
  SystemRandom random;
  EXPECT_EQ(RandomSecret(random, 0).size(), 0U);
  EXPECT_EQ(RandomSecret(random, 1000).size(), 1000U);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(seen.insert(RandomId(random, 15)).second);
}

TEST(RandomId, Is20CharactersFor15Bytes) {
  SystemRandom random;
  const std::string id = RandomId(random, 15);
  EXPECT_EQ(id.size(), 20U);
  EXPECT_TRUE(DecodeBase64Url(id));
}

// The time part of the example in the ULID specification: 1469918176385 ms is 01ARYZ6S41.
TEST(Ulid, CarriesItsTimeFirst) {
  FixedRandom zeros('\0');
  EXPECT_EQ(MakeUlid(zeros, At(1'469'918'176'385)), "01ARYZ6S410000000000000000");
  EXPECT_EQ(MakeUlid(zeros, At(0)), "00000000000000000000000000");
}

TEST(Ulid, CarriesEightyRandomBits) {
  FixedRandom ones('\xff');
  EXPECT_EQ(MakeUlid(ones, At(0)), "0000000000ZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(MakeUlid(ones, At((std::int64_t{1} << 48) - 1)), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, SortsByTime) {
  SystemRandom random;
  std::string last;
  for (std::int64_t millis : {0, 1, 31, 32, 1000, 1'000'000}) {
    const std::string id = MakeUlid(random, At(millis));
    EXPECT_LT(last, id);
    EXPECT_EQ(id.size(), 26U);
    last = id;
  }
}

}  // namespace
}  // namespace nd
