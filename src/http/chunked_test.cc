#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nd::http {
namespace {

using Status = ChunkedDecoder::Status;
using namespace std::string_literals;

struct Outcome {
  Status status = Status::kNeedMore;
  std::string body;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome Decode(const std::string& input, std::size_t cut, std::size_t max_body = 1000, std::size_t max_overhead = 100) {
  ChunkedDecoder decoder;
  decoder.Start(max_body, max_overhead);
  Bytes body;
  Outcome outcome;
  for (const std::string_view part : {std::string_view(input).substr(0, cut), std::string_view(input).substr(cut)}) {
    outcome.status = decoder.Decode(part, body);
    outcome.used += decoder.consumed();
    if (outcome.status != Status::kNeedMore) break;
  }
  outcome.body = body.view();
  return outcome;
}

std::vector<std::string> WellFormed() {
  return {
      "0\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "1\r\na\r\n2\r\nbc\r\n000\r\n\r\n",
      "a;name=value;other=\"quoted \t text\"\r\n0123456789\r\n0;last\r\n\r\n",
      "1\r\n\r\r\n0\r\nTrailer: dropped\r\nX:\r\n\r\n",
      "0\r\n\r\nGET / HTTP/1.1\r\n",
  };
}

std::vector<std::string> Malformed() {
  return {
      "\r\n",
      "g\r\n",
      "+5\r\nhello\r\n0\r\n\r\n",
      "-1\r\n",
      "0x5\r\nhello\r\n0\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      "5\t\r\nhello\r\n0\r\n\r\n",
      "5 ;a\r\nhello\r\n0\r\n\r\n",
      "5\nhello\r\n0\r\n\r\n",
      "5\r\r\nhello\r\n0\r\n\r\n",
      "5\rhello\r\n0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhelloo\r\n0\r\n\r\n",
      "5\r\nhell\r\n0\r\n\r\n",
      "5\r\nhello\r0\r\n\r\n",
      "10000000000000000\r\n",
      "ffffffffffffffff\r\n",
      "0000000000000005\r\nhello\r\n0\r\n\r\n",
      "5;a\nb\r\nhello\r\n0\r\n\r\n",
      "5;a\0b\r\nhello\r\n0\r\n\r\n"s,
      "5;a\x7f\r\nhello\r\n0\r\n\r\n",
      ";a\r\n",
      "5,\r\nhello\r\n0\r\n\r\n",
      "0\r\n\n",
      "0\n\n",
      "0\r\n\rX",
      "0\r\n folded\r\n\r\n",
      "0\r\nName\r\n\r\n",
      "0\r\nName : v\r\n\r\n",
      "0\r\n: v\r\n\r\n",
      "0\r\nName: v\n\r\n",
      "0\r\nName: v\rx\r\n\r\n",
      "0\r\nName: \x01\r\n\r\n",
      "0\r\nName: v\r\n folded\r\n\r\n",
  };
}

TEST(ChunkedDecoder, JoinsChunksAndDropsTheRest) {
  EXPECT_EQ(Decode("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n", 0).body, "hello world");
  const Outcome outcome = Decode("1\r\na\r\n0\r\n\r\nGET", 0);
  EXPECT_EQ(outcome.status, Status::kDone);
  EXPECT_EQ(outcome.body, "a");
  EXPECT_EQ(outcome.used, 11U);
}

TEST(ChunkedDecoder, RefusesEveryMalformedBody) {
  for (const std::string& input : Malformed()) EXPECT_EQ(Decode(input, 0).status, Status::kMalformed) << input;
}

TEST(ChunkedDecoder, GivesTheSameOutcomeHoweverTheInputIsCut) {
  std::vector<std::string> inputs = WellFormed();
  for (const std::string& input : Malformed()) inputs.push_back(input);
  for (const std::string& input : inputs) {
    const Outcome whole = Decode(input, 0);
    EXPECT_NE(whole.status, Status::kNeedMore) << input;
    for (std::size_t cut = 1; cut <= input.size(); ++cut)
      EXPECT_EQ(Decode(input, cut), whole) << input << " at " << cut;
  }
}

TEST(ChunkedDecoder, HoldsTheLimitOfTheBody) {
  const std::string input = "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  EXPECT_EQ(Decode(input, 0, 9).status, Status::kTooLarge);
  EXPECT_EQ(Decode(input, 0, 10).status, Status::kDone);
  EXPECT_EQ(Decode(input, 0, 11).status, Status::kDone);
  // Seen from the size line, before the chunk arrives.
  EXPECT_EQ(Decode("5\r\nhello\r\n5\r\n", 0, 9).status, Status::kTooLarge);
  EXPECT_EQ(Decode("fffffffffffffff\r\n", 0).status, Status::kTooLarge);
}

TEST(ChunkedDecoder, HoldsTheLimitOfExtensionsAndTrailers) {
  const auto with_overhead = [](std::size_t size) {  // ";aaa" and "T:bbb"
    return "1;" + std::string(size / 2 - 1, 'a') + "\r\nx\r\n0\r\nT:" + std::string(size - size / 2 - 2, 'b') +
           "\r\n\r\n";
  };
  EXPECT_EQ(Decode(with_overhead(99), 0).status, Status::kDone);
  EXPECT_EQ(Decode(with_overhead(100), 0).status, Status::kDone);
  EXPECT_EQ(Decode(with_overhead(101), 0).status, Status::kMalformed);
}

TEST(ChunkedDecoder, StaysFailed) {
  ChunkedDecoder decoder;
  decoder.Start(10, 10);
  Bytes body;
  EXPECT_EQ(decoder.Decode("x", body), Status::kMalformed);
  EXPECT_EQ(decoder.Decode("0\r\n\r\n", body), Status::kMalformed);
}

}  // namespace
}  // namespace nd::http
