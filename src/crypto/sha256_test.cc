#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nd {
namespace {

// NIST, "Examples with intermediate values", FIPS 180-4 SHA-256: "abc", the two-block message and a million letters a;
// the empty message from the SHAVS byte test vectors.
TEST(Sha256, AgreesWithFips180) {
  EXPECT_EQ(EncodeHex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(EncodeHex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(EncodeHex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(EncodeHex(Sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Hasher, GivesTheSameDigestHoweverTheBytesAreCut) {
  const std::string text(200, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256Hasher hasher;
    hasher.Update(std::string_view(text).substr(0, cut));
    hasher.Update(std::string_view(text).substr(cut));
    EXPECT_EQ(hasher.Finish(), Sha256(text)) << cut;
  }
}

TEST(Sha256Hasher, StartsAnewAfterFinish) {
  Sha256Hasher hasher;
  hasher.Update("something else");
  EXPECT_EQ(hasher.Finish(), Sha256("something else"));
  hasher.Update("abc");
  EXPECT_EQ(hasher.Finish(), Sha256("abc"));
  EXPECT_EQ(hasher.Finish(), Sha256(""));
}

TEST(Sha256Hasher, CanBeMoved) {
  Sha256Hasher first;
  first.Update("ab");
  Sha256Hasher second(std::move(first));
  second.Update("c");
  EXPECT_EQ(second.Finish(), Sha256("abc"));
}

}  // namespace
}  // namespace nd
