#include "crypto/guarded_key.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace nd {
namespace {

// The sanitizers' runtimes turn mlock into nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMlockDoesNothing = true;
#elif defined(__has_feature)
constexpr bool kMlockDoesNothing = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kMlockDoesNothing = false;
#endif

GuardedKey Make(std::string_view bytes) { return *GuardedKey::Create(Secret(bytes)); }

// The line of /proc/self/smaps that `name` starts, for the mapping that holds `address`.
std::string MappingField(const void* address, const std::string& name) {
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(smaps, line)) {
    unsigned long first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2) {
      const auto at = reinterpret_cast<unsigned long>(address);
      inside = at >= first && at < last;
      if (inside && name == "permissions") return line.substr(line.find(' ') + 1, 4);
    } else if (inside && line.starts_with(name)) {
      return line;
    }
  }
  return {};
}

TEST(GuardedKey, LendsItsBytes) {
  const GuardedKey key = Make("0123456789abcdef");
  EXPECT_EQ(key.size(), 16U);
  EXPECT_EQ(key.With([](std::string_view bytes) { return std::string(bytes); }), "0123456789abcdef");
  EXPECT_EQ(key.With([](std::string_view bytes) { return std::string(bytes); }), "0123456789abcdef");
}

TEST(GuardedKey, ClosesItsMemoryWhenNobodyBorrows) {
  const GuardedKey key = Make("secret");
  const char* address = nullptr;
  key.With([&](std::string_view bytes) {
    address = bytes.data();
    EXPECT_EQ(MappingField(address, "permissions"), "r--p");
    key.With([](std::string_view) {});
    EXPECT_EQ(MappingField(address, "permissions"), "r--p") << "closed while the outer loan lives";
  });
  EXPECT_EQ(MappingField(address, "permissions"), "---p");
}

TEST(GuardedKey, OpensAgainAfterAnExceptionPassedThrough) {
  const GuardedKey key = Make("secret");
  EXPECT_THROW(key.With([](std::string_view) { throw std::runtime_error("no"); }), std::runtime_error);
  const char* address = key.With([](std::string_view bytes) { return bytes.data(); });
  EXPECT_EQ(MappingField(address, "permissions"), "---p");
}

TEST(GuardedKey, IsLockedAndLeftOutOfCoreDumps) {
  const GuardedKey key = Make("secret");
  const char* address = key.With([](std::string_view bytes) { return bytes.data(); });
  const std::string flags = MappingField(address, "VmFlags:") + " ";
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  if (key.locked() && !kMlockDoesNothing) {
    EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
  }
}

TEST(GuardedKey, RefusesAnEmptyKey) { EXPECT_FALSE(GuardedKey::Create(Secret()).ok()); }

TEST(GuardedKey, CanBeMoved) {
  GuardedKey first = Make("one");
  GuardedKey second(std::move(first));
  GuardedKey third = Make("three");
  third = std::move(second);
  EXPECT_EQ(third.With([](std::string_view bytes) { return std::string(bytes); }), "one");
}

TEST(GuardedKey, IsLentToManyThreadsAtOnce) {
  const GuardedKey key = Make("shared");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(key.With([](std::string_view bytes) { return std::string(bytes); }), "shared");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace nd
