#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nd {
namespace {

std::string Hex(std::string_view text) { return DecodeHex(text).value(); }

struct Vector {
  const char *key, *nonce, *plaintext, *associated, *ciphertext, *tag;
};

constexpr char kKey[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
constexpr char kNonce[] = "cafebabefacedbaddecaf888";

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13 to 16 (AES-256, 96-bit nonces),
// as submitted to NIST.
constexpr Vector kVectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {kKey, kNonce,
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a63"
     "7b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9"
     "f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {kKey, kNonce,
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a63"
     "7b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9"
     "f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Aes256Gcm, AgreesWithTheNistTestCases) {
  for (const Vector& vector : kVectors) {
    const Secret key(Hex(vector.key));
    const std::string sealed = Aes256GcmSeal(key, Hex(vector.nonce), Hex(vector.plaintext), Hex(vector.associated));
    EXPECT_EQ(EncodeHex(sealed), std::string(vector.ciphertext) + vector.tag);
    const auto opened = Aes256GcmOpen(key, Hex(vector.nonce), sealed, Hex(vector.associated));
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(EncodeHex(opened->ExposeSecret()), vector.plaintext);
  }
}

class Aes256GcmRefuses : public ::testing::Test {
 protected:
  bool Opens(std::string_view sealed, std::string_view associated = "for") const {
    return Aes256GcmOpen(key_, nonce_, sealed, associated).ok();
  }
  const Secret key_ = Secret(std::string(32, 'k'));
  const std::string nonce_ = std::string(12, 'n');
  const std::string sealed_ = Aes256GcmSeal(key_, nonce_, "attack at dawn", "for");
};

TEST_F(Aes256GcmRefuses, EveryFlippedBit) {
  ASSERT_TRUE(Opens(sealed_));
  for (std::size_t i = 0; i < sealed_.size() * 8; ++i) {
    std::string damaged = sealed_;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(Opens(damaged)) << i;
  }
}

TEST_F(Aes256GcmRefuses, EveryShorterLengthAndALongerOne) {
  for (std::size_t size = 0; size < sealed_.size(); ++size) EXPECT_FALSE(Opens(sealed_.substr(0, size))) << size;
  EXPECT_FALSE(Opens(sealed_ + '\0'));
}

TEST_F(Aes256GcmRefuses, OtherAssociatedDataNonceOrKey) {
  EXPECT_FALSE(Opens(sealed_, "fur"));
  EXPECT_FALSE(Opens(sealed_, ""));
  EXPECT_FALSE(Aes256GcmOpen(key_, std::string(12, 'N'), sealed_, "for").ok());
  EXPECT_FALSE(Aes256GcmOpen(Secret(std::string(32, 'K')), nonce_, sealed_, "for").ok());
}

TEST_F(Aes256GcmRefuses, KeysAndNoncesOfTheWrongSize) {
  EXPECT_DEATH((void)Aes256GcmSeal(Secret(std::string(31, 'k')), nonce_, "", ""), "precondition");
  EXPECT_DEATH((void)Aes256GcmSeal(key_, std::string(11, 'n'), "", ""), "precondition");
  EXPECT_DEATH((void)Aes256GcmSeal(key_, std::string(13, 'n'), "", ""), "precondition");
}

}  // namespace
}  // namespace nd
