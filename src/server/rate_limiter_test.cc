#include "server/rate_limiter.h"

#include <gtest/gtest.h>

namespace nd::server {
namespace {

const WallTime kStart{std::chrono::seconds(1'800'000'000)};

TEST(RateLimiter, AdmitsAHundredSignInsAndRefusesTheNext) {
  ManualClock clock(kStart);
  RateLimiter limiter(clock);
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(limiter.Take(RateClass::kSignIn, "192.0.2.1"), 0) << i;
  EXPECT_EQ(limiter.Take(RateClass::kSignIn, "192.0.2.1"), 1);
  EXPECT_EQ(limiter.Take(RateClass::kSignIn, "192.0.2.2"), 0);
  EXPECT_EQ(limiter.Take(RateClass::kUnknownPath, "192.0.2.1"), 0);
}

TEST(RateLimiter, RefillsOneCallPerInterval) {
  ManualClock clock(kStart);
  RateLimiter limiter(clock);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(limiter.Take(RateClass::kSignIn, "a"), 0);
  clock.Advance(std::chrono::microseconds(599'999));
  EXPECT_EQ(limiter.Take(RateClass::kSignIn, "a"), 1);
  clock.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(limiter.Take(RateClass::kSignIn, "a"), 0);
  EXPECT_NE(limiter.Take(RateClass::kSignIn, "a"), 0);
}

TEST(RateLimiter, KeysBeyondTheTableShareOneBucketInsteadOfGrowingIt) {
  ManualClock clock(kStart);
  RateLimiter limiter(clock);
  const std::size_t keys = RateLimiter::kShards * RateLimiter::kKeysPerShard * 2;
  int refused = 0;
  for (std::size_t i = 0; i < keys; ++i) refused += limiter.Take(RateClass::kSignIn, "k" + std::to_string(i)) != 0;
  EXPECT_GT(refused, 0);
  clock.Advance(std::chrono::minutes(2));
  EXPECT_EQ(limiter.Take(RateClass::kSignIn, "fresh"), 0);
}

}  // namespace
}  // namespace nd::server
