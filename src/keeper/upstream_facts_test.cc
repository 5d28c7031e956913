#include "keeper/upstream_facts.h"

#include <gtest/gtest.h>

namespace nd::keeper {
namespace {

TEST(MediaType, PassesWithoutItsParameters) {
  EXPECT_EQ(PlainMediaType("application/json"), "application/json");
  EXPECT_EQ(PlainMediaType(" Text/Event-Stream ; charset=utf-8"), "text/event-stream");
  for (const char* bad : {"", "json", "a/", "/b", "a/b/c", "a b/c", "text/html\r\nX: y", "text/\"x\""}) {
    EXPECT_EQ(PlainMediaType(bad), std::nullopt) << bad;
  }
  EXPECT_TRUE(PlainMediaType("a/" + std::string(125, 'b')));
  EXPECT_FALSE(PlainMediaType("a/" + std::string(126, 'b')));
}

TEST(ErrorCode, IsAWordOfTheErrorObjectOrNothing) {
  EXPECT_EQ(ErrorCodeOf(R"({"error":{"message":"no","code":"invalid_api_key","type":"x"}})"), "invalid_api_key");
  EXPECT_EQ(ErrorCodeOf(R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})"), "overloaded_error");
  EXPECT_EQ(ErrorCodeOf(R"({"error":{"code":null,"type":"server_error"}})"), "server_error");
  EXPECT_EQ(ErrorCodeOf(R"({"error":{"code":"No Good: sk-1","type":"server_error"}})"), "server_error");
  EXPECT_EQ(ErrorCodeOf("{\"error\":{\"code\":\"" + std::string(64, 'a') + "\"}}"), std::string(64, 'a'));
  for (const std::string& bad :
       {std::string(R"({"error":"text"})"), std::string(R"({"error":{"code":"UPPER"}})"),
        std::string(R"({"code":"x"})"), std::string("<html>"), std::string(), std::string("[]"),
        std::string(R"({"error":{"code":42}})"), "{\"error\":{\"code\":\"" + std::string(65, 'a') + "\"}}"}) {
    EXPECT_EQ(ErrorCodeOf(bad), "") << bad;
  }
}

TEST(RetryAfter, IsSecondsWithinADay) {
  const WallTime now{};
  EXPECT_EQ(RetryAfterSeconds("0", now), 0);
  EXPECT_EQ(RetryAfterSeconds(" 20 ", now), 20);
  EXPECT_EQ(RetryAfterSeconds("86400", now), 86'400);
  for (const char* bad : {"86401", "-1", "+1", "1.5", "soon", "", "99999999999999999999"}) {
    EXPECT_EQ(RetryAfterSeconds(bad, now), std::nullopt) << bad;
  }
}

TEST(RetryAfter, MayBeADate) {
  // RFC 9110's own example.
  const WallTime date{std::chrono::seconds(784'111'777)};
  EXPECT_EQ(RetryAfterSeconds("Sun, 06 Nov 1994 08:49:37 GMT", date - std::chrono::seconds(30)), 30);
  EXPECT_EQ(RetryAfterSeconds("Sun, 06 Nov 1994 08:49:37 GMT", date - std::chrono::milliseconds(1)), 1);
  EXPECT_EQ(RetryAfterSeconds("Sun, 06 Nov 1994 08:49:37 GMT", date + std::chrono::hours(1)), 0);
  EXPECT_EQ(RetryAfterSeconds("Sun, 06 Nov 1994 08:49:37 GMT", date - std::chrono::hours(25)), std::nullopt);
  for (const char* bad :
       {"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 XXX 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(RetryAfterSeconds(bad, date), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace nd::keeper
