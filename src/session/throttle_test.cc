#include "session/throttle.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace nd::session {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kHere = "192.0.2.1";

class SignInThrottle : public ::testing::Test {
 protected:
  // Seconds to wait; 0 if none.
  int Wait(std::string_view account, std::string_view address = kHere) {
    const auto result = throttle_.Check(account, address);
    if (result.ok()) return 0;
    EXPECT_EQ(result.error().kind, ErrorKind::kRateLimited);
    return result.error().retry_after_seconds;
  }
  // From a new address each, so that only the account counts.
  void FailElsewhere(std::string_view account, int times) {
    for (int i = 0; i < times; ++i, ++next_) {
      throttle_.RecordFailure(account, fmt::format("10.0.{}.{}", next_ / 250, next_ % 250));
    }
  }

  ManualClock clock_{WallTime(seconds(1'800'000'000))};
  Throttle throttle_{clock_};
  int next_ = 0;
};

TEST_F(SignInThrottle, LetsAnAccountFailFiveTimesForFree) {
  FailElsewhere("alice", 4);
  EXPECT_EQ(Wait("alice"), 0);
  FailElsewhere("alice", 1);
  EXPECT_EQ(Wait("alice"), 1);
  FailElsewhere("alice", 1);
  EXPECT_EQ(Wait("alice"), 2);
  EXPECT_EQ(Wait("bob"), 0);
}

TEST_F(SignInThrottle, DoublesUpToAQuarterOfAnHour) {
  FailElsewhere("alice", 4);
  for (int i = 0; i < 10; ++i) {
    FailElsewhere("alice", 1);
    EXPECT_EQ(Wait("alice"), 1 << i);
  }
  for (int i = 0; i < 100; ++i) {
    FailElsewhere("alice", 1);
    EXPECT_EQ(Wait("alice"), 900);
  }
}

TEST_F(SignInThrottle, EndsToTheMicrosecond) {
  FailElsewhere("alice", 5);
  clock_.Advance(microseconds(999'999));
  EXPECT_EQ(Wait("alice"), 1);
  clock_.Advance(microseconds(1));
  EXPECT_EQ(Wait("alice"), 0);
}

TEST_F(SignInThrottle, ForgivesOneFailureInAQuarterOfAnHour) {
  FailElsewhere("alice", 7);
  clock_.Advance(minutes(15) - microseconds(1));
  FailElsewhere("alice", 1);
  EXPECT_EQ(Wait("alice"), 8);  // the eighth
  clock_.Advance(minutes(15));
  FailElsewhere("alice", 1);
  EXPECT_EQ(Wait("alice"), 8);  // one was forgiven, one came
  clock_.Advance(minutes(15 * 20));
  FailElsewhere("alice", 1);
  EXPECT_EQ(Wait("alice"), 0);
}

TEST_F(SignInThrottle, BoundsAPatientGuesserToFourAnHour) {
  FailElsewhere("alice", 20);
  int guesses = 0;
  for (int second = 0; second < 24 * 3600; ++second) {
    clock_.Advance(seconds(1));
    if (Wait("alice") > 0) continue;
    FailElsewhere("alice", 1);
    ++guesses;
  }
  EXPECT_LE(guesses, 4 * 24 + 1);
}

TEST_F(SignInThrottle, LetsAnAddressFailTwentyTimesForFree) {
  for (int i = 0; i < 19; ++i) throttle_.RecordFailure(fmt::format("user{}", i), kHere);
  EXPECT_EQ(Wait("fresh"), 0);
  throttle_.RecordFailure("user19", kHere);
  EXPECT_EQ(Wait("fresh"), 1);
  throttle_.RecordFailure("user20", kHere);
  EXPECT_EQ(Wait("fresh"), 2);
  EXPECT_EQ(Wait("fresh", "192.0.2.2"), 0);
}

TEST_F(SignInThrottle, CountsNamesThatNobodyCanHaveByAddressAlone) {
  for (int i = 0; i < 19; ++i) throttle_.RecordFailure("", kHere);
  EXPECT_EQ(Wait(""), 0);
  throttle_.RecordFailure("", kHere);
  EXPECT_EQ(Wait(""), 1);
  EXPECT_EQ(Wait("", "192.0.2.2"), 0);
}

TEST_F(SignInThrottle, NobodyElsewhereLocksOutAnAddressThatSignedInBefore) {
  throttle_.RecordSuccess("admin", kHere);
  FailElsewhere("admin", 1000);
  EXPECT_EQ(Wait("admin"), 0);
  EXPECT_EQ(Wait("admin", "198.51.100.1"), 900);
  // The pair has a counter of its own, which counts.
  for (int i = 0; i < 5; ++i) throttle_.RecordFailure("admin", kHere);
  EXPECT_EQ(Wait("admin"), 1);
}

TEST_F(SignInThrottle, SuccessesAreNotCountedAndDoNotForgiveTheAddress) {
  for (int i = 0; i < 1000; ++i) throttle_.RecordSuccess("alice", kHere);
  EXPECT_EQ(Wait("alice"), 0);
  for (int i = 0; i < 20; ++i) {
    throttle_.RecordFailure("victim", kHere);
    throttle_.RecordSuccess("mallory", kHere);  // an account of one's own washes nothing clean
  }
  EXPECT_GT(Wait("mallory"), 0);
}

TEST_F(SignInThrottle, UnlockForgetsOneAccountOrAll) {
  throttle_.RecordSuccess("alice", kHere);
  for (int i = 0; i < 10; ++i) throttle_.RecordFailure("alice", kHere);
  FailElsewhere("alice", 10);
  FailElsewhere("bob", 10);
  throttle_.Unlock("alice");
  EXPECT_EQ(Wait("alice"), 0);
  EXPECT_EQ(Wait("alice", "198.51.100.1"), 0);
  EXPECT_GT(Wait("bob"), 0);
  for (int i = 0; i < 30; ++i) throttle_.RecordFailure("carol", kHere);
  EXPECT_GT(Wait("dave"), 0);
  throttle_.Unlock("");
  EXPECT_EQ(Wait("bob"), 0);
  EXPECT_EQ(Wait("dave"), 0);
}

TEST_F(SignInThrottle, IsNotFooledByASetWallClock) {
  FailElsewhere("alice", 10);
  const int wait = Wait("alice");
  clock_.SetWall(clock_.Now() + std::chrono::hours(24));
  EXPECT_EQ(Wait("alice"), wait);
}

TEST_F(SignInThrottle, HoldsABoundedNumberOfCounters) {
  FailElsewhere("target", 8);
  for (std::size_t i = 0; i < kMaxThrottleEntries + 500; ++i) {
    throttle_.RecordFailure(fmt::format("user{}", i), fmt::format("2001:db8:{:x}:{:x}::1", i >> 16, i & 0xffff));
    throttle_.RecordSuccess(fmt::format("user{}", i), kHere);
  }
  EXPECT_LE(throttle_.size(), 2 * kMaxThrottleEntries + kMaxKnownPairs);
}

TEST_F(SignInThrottle, PrunesWhatIsForgiven) {
  throttle_.RecordFailure("alice", kHere);
  throttle_.Prune();
  EXPECT_EQ(throttle_.size(), 2U);
  clock_.Advance(minutes(15));
  throttle_.Prune();
  EXPECT_EQ(throttle_.size(), 0U);
}

TEST(ThrottleNetwork, JoinsAnIPv6NetworkAndLeavesIPv4Alone) {
  EXPECT_EQ(ThrottleNetwork("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ThrottleNetwork("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ThrottleNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(ThrottleNetwork("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  EXPECT_NE(ThrottleNetwork("2001:db8:1:3::9"), "2001:db8:1:2::/64");
  EXPECT_EQ(ThrottleNetwork("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(ThrottleNetwork("::1"), "::/64");
  EXPECT_EQ(ThrottleNetwork(""), "");
  EXPECT_LE(ThrottleNetwork(std::string(1000, 'x')).size(), 64U);
}

}  // namespace
}  // namespace nd::session
