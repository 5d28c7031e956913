#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nd {
namespace {

std::string Range(int first, int last) {
  std::string bytes;
  for (int byte = first; byte <= last; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

std::string Derive(std::string_view key, std::string_view salt, std::string_view info, std::size_t size) {
  return EncodeHex(HkdfSha256(key, salt, info, size).ExposeSecret());
}

// RFC 5869, appendix A.1 to A.3.
TEST(HkdfSha256, AgreesWithRfc5869) {
  const std::string key(22, '\x0b');
  EXPECT_EQ(Derive(key, Range(0x00, 0x0c), Range(0xf0, 0xf9), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(Derive(Range(0x00, 0x4f), Range(0x60, 0xaf), Range(0xb0, 0xff), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(Derive(key, "", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256, GivesEveryPurposeItsOwnKey) {
  EXPECT_NE(Derive("root", "salt", "one", 32), Derive("root", "salt", "two", 32));
  EXPECT_NE(Derive("root", "salt", "one", 32), Derive("root", "Salt", "one", 32));
  EXPECT_EQ(Derive("root", "", "one", 32), Derive("root", std::string(32, '\0'), "one", 32));
}

TEST(HkdfSha256, GoesUpTo8160Bytes) {
  EXPECT_EQ(HkdfSha256("k", "", "", 1).size(), 1U);
  EXPECT_EQ(HkdfSha256("k", "", "", 8160).size(), 8160U);
  EXPECT_DEATH((void)HkdfSha256("k", "", "", 8161), "precondition");
  EXPECT_DEATH((void)HkdfSha256("", "", "", 32), "precondition");
}

}  // namespace
}  // namespace nd
