#include "app/duration.h"

#include <gtest/gtest.h>

namespace nd::app {
namespace {

using std::chrono::seconds;

TEST(Duration, ReadsEachUnit) {
  EXPECT_EQ(*ParseDuration("1s"), seconds(1));
  EXPECT_EQ(*ParseDuration("15m"), seconds(900));
  EXPECT_EQ(*ParseDuration("12h"), seconds(43'200));
  EXPECT_EQ(*ParseDuration("90d"), seconds(7'776'000));
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "s", "0s", "00d", "-1d", "+1d", "1", "90", "1w", "1.5d", "1h30m", " 1d", "1d ", "1 d",
                           "1D", "0x1d", "99999999999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Duration, EndsAtAHundredYears) {
  EXPECT_TRUE(ParseDuration("36499d").ok());
  EXPECT_TRUE(ParseDuration("36500d").ok());
  EXPECT_FALSE(ParseDuration("36501d").ok());
  EXPECT_TRUE(ParseDuration("3153600000s").ok());
  EXPECT_FALSE(ParseDuration("3153600001s").ok());
}

}  // namespace
}  // namespace nd::app
