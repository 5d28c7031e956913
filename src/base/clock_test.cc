#include "base/clock.h"

#include <gtest/gtest.h>

namespace nd {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime At(std::int64_t micros) { return WallTime(microseconds(micros)); }

TEST(Rfc3339, WritesUtcWithFixedWidth) {
  EXPECT_EQ(FormatRfc3339Micros(At(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatRfc3339Micros(At(1'795'507'200'123'456)), "2026-11-24T08:00:00.123456Z");
  EXPECT_EQ(FormatRfc3339Seconds(At(1'795'507'200'999'999)), "2026-11-24T08:00:00Z");
  EXPECT_EQ(FormatDate(At(1'795'507'200'000'000)), "2026-11-24");
}

TEST(Rfc3339, KnowsLeapDaysAndTheLastMicrosecondOfADay) {
  EXPECT_EQ(FormatDate(At(951'782'400'000'000)), "2000-02-29");
  EXPECT_EQ(FormatRfc3339Micros(At(951'868'799'999'999)), "2000-02-29T23:59:59.999999Z");
  EXPECT_EQ(FormatDate(At(951'868'800'000'000)), "2000-03-01");
}

TEST(Rfc3339, RoundsDownBeforeTheEpochToo) {
  EXPECT_EQ(FormatRfc3339Micros(At(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(UnixSeconds(At(-1)), -1);
  EXPECT_EQ(UnixSeconds(At(999'999)), 0);
  EXPECT_EQ(UnixSeconds(At(1'000'000)), 1);
}

TEST(ManualClock, StandsStillUntilTold) {
  ManualClock clock(At(5'000'000));
  const SteadyTime start = clock.Steady();
  EXPECT_EQ(clock.Now(), At(5'000'000));
  clock.Advance(seconds(2));
  EXPECT_EQ(clock.Now(), At(7'000'000));
  EXPECT_EQ(clock.Steady() - start, seconds(2));
}

TEST(ManualClock, SettingTheWallLeavesSteadyTimeAlone) {
  ManualClock clock(At(5'000'000));
  const SteadyTime start = clock.Steady();
  clock.SetWall(At(1));
  EXPECT_EQ(clock.Now(), At(1));
  EXPECT_EQ(clock.Steady(), start);
}

TEST(SystemClock, SteadyTimeDoesNotGoBack) {
  const SystemClock clock;
  const SteadyTime first = clock.Steady();
  EXPECT_GE(clock.Steady(), first);
  EXPECT_GT(clock.Now(), At(1'600'000'000'000'000));
}

}  // namespace
}  // namespace nd
