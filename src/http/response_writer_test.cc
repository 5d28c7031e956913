#include "http/response_writer.h"

#include <gtest/gtest.h>

namespace nd::http {
namespace {

std::string Head(const Response& response, BodyCoding coding = BodyCoding::kLength,
                 Persistence persistence = Persistence::kKeepAlive) {
  Bytes out;
  AnswerFacts facts;
  facts.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  facts.request_id = "01J";
  facts.coding = coding;
  facts.persistence = persistence;
  AppendHead(out, response, facts);
  return std::string(out.view());
}

TEST(ResponseWriter, WritesAWholeHead) {
  const std::string shared = "X-Frame-Options: DENY\r\n";
  Response response;
  response.status = 404;
  response.shared_fields = &shared;
  response.content_type = "application/json";
  response.body = "{}";
  response.AddField("Allow", "GET");
  EXPECT_EQ(Head(response),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: 01J\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\nX-Frame-Options: DENY\r\nAllow: GET\r\n\r\n");
}

TEST(ResponseWriter, SaysWhenItCloses) {
  EXPECT_NE(Head({}, BodyCoding::kLength, Persistence::kClose).find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(Head({}).find("Connection"), std::string::npos);
}

TEST(ResponseWriter, GivesABodylessStatusNoFraming) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    response.body = "dropped";
    for (const BodyCoding coding : {BodyCoding::kLength, BodyCoding::kChunked}) {
      EXPECT_EQ(Head(response, coding).find("Content-Length"), std::string::npos);
      EXPECT_EQ(Head(response, coding).find("Transfer-Encoding"), std::string::npos);
    }
  }
  EXPECT_NE(Head({}).find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST(ResponseWriter, TurnsAnImpossibleStatusInto500) {
  for (const int status : {199, 600, 0, -1, 100}) {
    Response response;
    response.status = status;
    EXPECT_TRUE(Head(response).starts_with("HTTP/1.1 500 ")) << status;
  }
}

TEST(ResponseWriter, KeepsInputFromForgingFields) {
  Response response;
  response.AddField("Location", "/a\r\nSet-Cookie: x=y\r\n\r\n<p>\x7f\x01");
  EXPECT_EQ(response.fields, "Location: /aSet-Cookie: x=y<p>\r\n");
}

TEST(ResponseWriter, WritesChunks) {
  Bytes out;
  AppendChunk(out, "hello");
  AppendChunk(out, std::string(300, 'x'));
  AppendLastChunk(out);
  EXPECT_EQ(out.view(), "5\r\nhello\r\n12c\r\n" + std::string(300, 'x') + "\r\n0\r\n\r\n");
}

TEST(DateCache, FormatsOncePerSecond) {
  DateCache dates;
  const WallTime start{std::chrono::seconds(784111777)};  // the example of RFC 9110
  EXPECT_EQ(dates.At(start), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(dates.At(start + std::chrono::microseconds(999'999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(dates.At(start + std::chrono::seconds(1)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(dates.At(WallTime{std::chrono::seconds(1709164800)}), "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace nd::http
