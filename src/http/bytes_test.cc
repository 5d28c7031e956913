#include "http/bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace nd::http {
namespace {

TEST(Bytes, GrowsAndKeepsItsContent) {
  Bytes bytes;
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    const std::string part = std::to_string(i) + ",";
    bytes.Append(part);
    expected += part;
  }
  EXPECT_EQ(bytes.view(), expected);
  bytes.RemovePrefix(100);
  EXPECT_EQ(bytes.view(), expected.substr(100));
}

TEST(Bytes, WipesWhatItClears) {
  Bytes bytes;
  bytes.Append("password");
  const char* memory = bytes.data();
  bytes.Clear();
  EXPECT_EQ(std::string_view(memory, 8), std::string(8, '\0'));
  EXPECT_TRUE(bytes.empty());
}

TEST(Bytes, WipesLaterWhatItClearedWithoutWiping) {
  Bytes bytes;
  bytes.Append("password");
  const char* memory = bytes.data();
  bytes.Clear(Bytes::Wipe::kNo);
  bytes.Append("ab");
  bytes.Clear();
  EXPECT_EQ(std::string_view(memory, 8), std::string(8, '\0'));
  bytes.Append("password");
  bytes.RemovePrefix(6);
  bytes.Clear();
  EXPECT_EQ(std::string_view(memory, 8), std::string(8, '\0'));
}

TEST(Bytes, MovesItsMemory) {
  Bytes bytes;
  bytes.Append("abc");
  Bytes other = std::move(bytes);
  EXPECT_EQ(other.view(), "abc");
  other.Free();
  EXPECT_EQ(other.capacity(), 0U);
}

}  // namespace
}  // namespace nd::http
