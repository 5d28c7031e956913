#include "base/secret.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace nd {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string_view, Secret>);
static_assert(!Printable<Secret>);

TEST(Secret, MovesWithoutLeavingACopyBehind) {
  Secret first("hunter2");
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.ExposeSecret(), "hunter2");
  Secret third;
  third = std::move(second);
  EXPECT_EQ(third.ExposeSecret(), "hunter2");
  EXPECT_TRUE(second.empty());
}

TEST(Secret, IsCopiedOnlyByName) {
  const Secret secret("hunter2");
  const Secret copy = secret.Clone();
  EXPECT_TRUE(copy == secret);
  EXPECT_NE(copy.ExposeSecret().data(), secret.ExposeSecret().data());
}

TEST(Secret, ComparesBytesAndLengths) {
  EXPECT_TRUE(Secret("") == Secret());
  EXPECT_TRUE(Secret("a") == Secret("a"));
  EXPECT_FALSE(Secret("a") == Secret("b"));
  EXPECT_FALSE(Secret("a") == Secret("aa"));
  EXPECT_FALSE(Secret("a") == Secret(std::string_view("a\0", 2)));
}

TEST(Secret, CanBeFilled) {
  Secret secret = Secret::OfSize(3);
  secret.Mutable()[0] = 'a';
  secret.Mutable()[1] = 'b';
  secret.Mutable()[2] = 'c';
  EXPECT_EQ(secret.ExposeSecret(), "abc");
  EXPECT_TRUE(Secret::OfSize(0).empty());
}

TEST(WipeMemory, LeavesZeros) {
  char bytes[] = "secret";
  WipeMemory(bytes, sizeof bytes);
  for (const char byte : bytes) EXPECT_EQ(byte, 0);
  WipeMemory(nullptr, 0);
}

TEST(EqualConstantTime, AgreesWithPlainComparison) {
  for (const char* a : {"", "a", "b", "ab", "\xff"}) {
    for (const char* b : {"", "a", "b", "ab", "\xff"}) {
      EXPECT_EQ(EqualConstantTime(a, b), std::string_view(a) == std::string_view(b));
    }
  }
}

}  // namespace
}  // namespace nd
