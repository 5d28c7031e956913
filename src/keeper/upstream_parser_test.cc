#include "keeper/upstream_parser.h"

#include <gtest/gtest.h>

namespace nd::keeper {
namespace {

struct Read {
  bool ok = true;
  bool done = false;
  bool reusable = false;
  int status = 0;
  std::string type;
  std::string body;
};

enum class Ending { kOpen, kClosed };

Read ReadAnswer(std::string_view bytes, std::size_t step, Ending ending = Ending::kOpen) {
  UpstreamParser parser;
  Read read;
  for (std::size_t at = 0; at < bytes.size() && read.ok; at += step) {
    read.ok = parser.Push(bytes.substr(at, step), read.body).ok();
  }
  if (read.ok && ending == Ending::kClosed) read.ok = parser.End().ok();
  read.done = parser.done();
  read.reusable = read.done && parser.reusable();
  if (parser.have_head()) {
    read.status = parser.head().status;
    read.type = parser.head().content_type;
  }
  return read;
}

TEST(UpstreamParser, ReadsEveryKindOfBodyHoweverCut) {
  const std::string counted = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::string& answer : {counted, chunked}) {
    for (std::size_t step = 1; step <= answer.size(); ++step) {
      const Read read = ReadAnswer(answer, step);
      ASSERT_TRUE(read.ok) << step;
      EXPECT_TRUE(read.done && read.reusable) << step;
      EXPECT_EQ(read.status, 200);
      EXPECT_EQ(read.type, "application/json");
      EXPECT_EQ(read.body, "hello");
    }
  }
}

TEST(UpstreamParser, ReadsToTheEndOfTheStreamWhenNothingElseSaysHowFar) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\nhello";
  const Read open = ReadAnswer(answer, 7);
  EXPECT_FALSE(open.done);
  const Read closed = ReadAnswer(answer, 7, Ending::kClosed);
  EXPECT_TRUE(closed.ok && closed.done);
  EXPECT_FALSE(closed.reusable);
  EXPECT_EQ(closed.body, "hello");
}

TEST(UpstreamParser, SeesThatAnAnswerWasCutShort) {
  for (const char* cut : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nContent-",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ""}) {
    EXPECT_FALSE(ReadAnswer(cut, 4, Ending::kClosed).ok) << cut;
  }
}

TEST(UpstreamParser, PassesOverInformationalAnswers) {
  const Read read = ReadAnswer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n",
      3);
  EXPECT_TRUE(read.ok && read.done && read.reusable);
  EXPECT_EQ(read.status, 204);
  EXPECT_FALSE(ReadAnswer("HTTP/1.1 101 Switching Protocols\r\n\r\n", 99).ok);
  std::string endless;
  for (int i = 0; i < 9; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_FALSE(ReadAnswer(endless, 99).ok);
}

TEST(UpstreamParser, DoesNotReuseAConnectionThatIsOutOfStep) {
  EXPECT_FALSE(ReadAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP", 99).reusable);
  EXPECT_FALSE(ReadAnswer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 99).reusable);
  EXPECT_FALSE(ReadAnswer("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 99).reusable);
}

TEST(UpstreamParser, RefusesWhatIsNotHttp) {
  for (const char* bad : {"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_FALSE(ReadAnswer(bad, 99).ok) << bad;
  }
}

TEST(UpstreamParser, BoundsTheHeader) {
  const auto with_header = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + std::string(size, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(ReadAnswer(with_header(kMaxResponseHeader - 200), 1000).done);
  EXPECT_FALSE(ReadAnswer(with_header(kMaxResponseHeader + 1), 1000).ok);
  EXPECT_FALSE(
      ReadAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'e'), 1000).ok);
}

TEST(UpstreamParser, StaysFailed) {
  UpstreamParser parser;
  std::string body;
  EXPECT_FALSE(parser.Push("nonsense\r\n\r\n", body).ok());
  EXPECT_FALSE(parser.Push("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", body).ok());
  EXPECT_FALSE(parser.done());
}

TEST(UpstreamParser, TellsACompressedBody) {
  UpstreamParser parser;
  std::string body;
  ASSERT_TRUE(parser.Push("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", body).ok());
  EXPECT_FALSE(parser.head().identity_coding);
}

}  // namespace
}  // namespace nd::keeper
