#include "http/parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nd::http {
namespace {

using Status = HeadParser::Status;

const Limits kLimits;

struct Outcome {
  Status status = Status::kNeedMore;
  int refused = 0;
  std::string what;
  std::size_t size = 0;
  std::string method, target, path, query;
  std::vector<std::pair<std::string, std::string>> fields;
  bool chunked = false;
  std::uint64_t content_length = 0;
  bool expect = false;
  bool close = false;

  bool operator==(const Outcome&) const = default;
};

Outcome Describe(const HeadParser& parser, Status status, const Request& request) {
  Outcome outcome;
  outcome.status = status;
  if (status == Status::kRefused) {
    outcome.refused = parser.refusal().status;
    outcome.what = parser.refusal().what;
  }
  if (status != Status::kDone) return outcome;
  outcome.size = parser.size();
  outcome.method = request.method_text;
  outcome.target = request.target;
  outcome.path = request.path;
  outcome.query = request.query;
  for (const Field& field : request.fields) outcome.fields.emplace_back(field.name, field.value);
  outcome.chunked = parser.framing().chunked;
  outcome.content_length = parser.framing().content_length;
  outcome.expect = parser.framing().expect_continue;
  outcome.close = parser.framing().close;
  return outcome;
}

// Feeds the input so that it is first seen at each of the lengths given.
Outcome ParseAt(const std::string& input, const std::vector<std::size_t>& lengths, const Limits& limits = kLimits) {
  HeadParser parser(limits);
  Request request;
  Status status = Status::kNeedMore;
  for (const std::size_t length : lengths) {
    status = parser.Parse(std::string_view(input).substr(0, length), request);
    if (status != Status::kNeedMore) break;
  }
  return Describe(parser, status, request);
}

Outcome ParseWhole(const std::string& input, const Limits& limits = kLimits) {
  return ParseAt(input, {input.size()}, limits);
}

Outcome ParseByteByByte(const std::string& input) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 1; i <= input.size(); ++i) lengths.push_back(i);
  return ParseAt(input, lengths);
}

std::string Get(const std::string& fields) { return "GET /a?b=c HTTP/1.1\r\nHost: deck\r\n" + fields + "\r\n"; }
std::string Post(const std::string& fields) { return "POST /a HTTP/1.1\r\nHost: deck\r\n" + fields + "\r\n"; }

struct Malformed {
  const char* name;
  std::string input;
  int status = 400;
};

using namespace std::string_literals;  // inputs with NUL

std::vector<Malformed> MalformedHeads() {
  return {
      // Framing that two servers could read differently.
      {"content-length with transfer-encoding", Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
      {"transfer-encoding with content-length", Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
      {"two content-lengths", Post("Content-Length: 5\r\nContent-Length: 6\r\n")},
      {"two equal content-lengths", Post("Content-Length: 5\r\nContent-Length: 5\r\n")},
      {"content-length list", Post("Content-Length: 5, 5\r\n")},
      {"content-length plus", Post("Content-Length: +5\r\n")},
      {"content-length minus", Post("Content-Length: -5\r\n")},
      {"content-length hex", Post("Content-Length: 0x5\r\n")},
      {"content-length fraction", Post("Content-Length: 5.0\r\n")},
      {"content-length empty", Post("Content-Length:\r\n")},
      {"content-length blank", Post("Content-Length:   \r\n")},
      {"content-length inner space", Post("Content-Length: 1 0\r\n")},
      {"content-length letters", Post("Content-Length: ten\r\n")},
      {"content-length of 20 digits", Post("Content-Length: 18446744073709551615\r\n")},
      {"content-length overflow", Post("Content-Length: 18446744073709551616\r\n")},
      {"content-length comma", Post("Content-Length: 5,\r\n")},
      {"transfer-encoding gzip", Post("Transfer-Encoding: gzip\r\n")},
      {"transfer-encoding identity", Post("Transfer-Encoding: identity\r\n")},
      {"transfer-encoding gzip, chunked", Post("Transfer-Encoding: gzip, chunked\r\n")},
      {"transfer-encoding chunked, chunked", Post("Transfer-Encoding: chunked, chunked\r\n")},
      {"transfer-encoding chunked, identity", Post("Transfer-Encoding: chunked, identity\r\n")},
      {"transfer-encoding quoted", Post("Transfer-Encoding: \"chunked\"\r\n")},
      {"transfer-encoding parameter", Post("Transfer-Encoding: chunked;a=b\r\n")},
      {"transfer-encoding xchunked", Post("Transfer-Encoding: xchunked\r\n")},
      {"transfer-encoding empty", Post("Transfer-Encoding:\r\n")},
      {"transfer-encoding vertical tab", Post("Transfer-Encoding: \x0b"
                                              "chunked\r\n")},
      {"two transfer-encodings", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      // Lines.
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: deck\r\n\r\n"},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: deck\n\r\n"},
      {"bare LF as last line", "GET / HTTP/1.1\r\nHost: deck\r\n\n"},
      {"bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"bare CR in a value", Get("A: b\rc\r\n")},
      {"bare CR in a name", Get("A\r: b\r\n")},
      {"CR CR LF", Get("A: b\r\r\n")},
      {"CR CR LF at the end", "GET / HTTP/1.1\r\nHost: deck\r\n\r\r\n\r\n"},
      {"folded with space", Get("A: b\r\n c\r\n")},
      {"folded with tab", Get("A: b\r\n\tc\r\n")},
      {"folded empty", Get("A:\r\n \r\n")},
      {"space before the first field", "GET / HTTP/1.1\r\n Host: deck\r\n\r\n"},
      {"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"LF before", "\nGET / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"CR before", "\rGET / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      // Names and values.
      {"space before colon", Get("A : b\r\n")},
      {"tab before colon", Get("A\t: b\r\n")},
      {"space before the colon of content-length", Post("Content-Length : 5\r\n")},
      {"empty name", Get(": b\r\n")},
      {"no colon", Get("A\r\n")},
      {"name with space", Get("A B: c\r\n")},
      {"name with slash", Get("A/B: c\r\n")},
      {"name with bracket", Get("A[0]: c\r\n")},
      {"name with non-ASCII", Get("\xc3\xa4: c\r\n")},
      {"name with NUL", Get("A\0B: c\r\n"s)},
      {"name with DEL", Get("A\x7f: c\r\n")},
      {"value with NUL", Get("A: b\0c\r\n"s)},
      {"value with ESC", Get("A: b\x1b[31m\r\n")},
      {"value with backspace", Get("A: b\x08\r\n")},
      {"value with DEL", Get("A: b\x7f\r\n")},
      {"connection with control", Get("Connection: clo\x01se\r\n")},
      // Repeated fields that decisions hang on.
      {"two hosts", Get("Host: other\r\n")},
      {"two hosts, other case", Get("HOST: deck\r\n")},
      {"two authorizations", Get("Authorization: Bearer a\r\nauthorization: Bearer b\r\n")},
      {"two content-types", Post("Content-Type: a/b\r\nContent-Type: a/b\r\n")},
      {"two csrf tokens", Post("X-CSRF-Token: a\r\nx-csrf-token: a\r\n")},
      {"two api keys", Post("X-API-Key: a\r\nx-api-key: a\r\n")},
      {"two origins", Post("Origin: a\r\nOrigin: a\r\n")},
      {"two cookies", Get("Cookie: a=b\r\nCookie: c=d\r\n")},
      {"two fetch sites", Get("Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n")},
      {"two forwarded-fors", Get("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\n")},
      {"two forwarded-protos", Get("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n")},
      {"two expects", Post("Content-Length: 1\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n")},
      {"two connections", Get("Connection: close\r\nConnection: close\r\n")},
      // Host.
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"no host but fields", "GET / HTTP/1.1\r\nA: b\r\n\r\n"},
      {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"blank host", "GET / HTTP/1.1\r\nHost:  \t \r\n\r\n"},
      // Request line.
      {"absolute-form", "GET http://deck/ HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"authority-form", "CONNECT deck:443 HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"relative target", "GET a HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"non-ASCII target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"target with NUL", "GET /\0 HTTP/1.1\r\nHost: deck\r\n\r\n"s},
      {"target with DEL", "GET /\x7f HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"target with tab", "GET /\ta HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"target with space", "GET /a b HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"two spaces after the method", "GET  / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"tab after the method", "GET\t/ HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"space before the method", " GET / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"space after the version", "GET / HTTP/1.1 \r\nHost: deck\r\n\r\n"},
      {"no target", "GET HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"method with colon", "GE:T / HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"no method", "/ HTTP/1.1\r\nHost: deck\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"lower case version", "GET / http/1.1\r\nHost: deck\r\n\r\n"},
      {"version without slash", "GET / HTTP1.1\r\nHost: deck\r\n\r\n"},
      {"version of two digits", "GET / HTTP/1.10\r\nHost: deck\r\n\r\n"},
      {"TLS on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
      {"garbage", "\xff\xfe\xfd"},
      // Other versions.
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: deck\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: deck\r\n\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/3", "GET / HTTP/3\r\nHost: deck\r\n\r\n", 505},
      // Expectations.
      {"unknown expectation", Post("Content-Length: 1\r\nExpect: cookies\r\n"), 417},
  };
}

std::vector<std::string> WellFormedHeads() {
  return {
      Get(""),
      "\r\n" + Get(""),
      Get("Accept: */*\r\nUser-Agent: curl/8\r\nX-Other: 1\r\nX-Other: 2\r\n"),
      Get("A:b\r\nC: \t d \t \r\nE:\r\n"),
      Get("Latin: \xe4\xf6\xfc\r\n"),
      Get("Connection: keep-alive, Close\r\n"),
      Post("Content-Length: 0\r\n"),
      Post("Content-Length: 005\r\nExpect: 100-Continue\r\n"),
      Post("Transfer-Encoding: Chunked\r\n"),
      "BREW /pot HTTP/1.1\r\nHost: deck\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: [::1]:3001\r\n\r\n",
  };
}

TEST(HeadParser, RefusesEveryMalformedHead) {
  const auto cases = MalformedHeads();
  ASSERT_GE(cases.size(), 60U);
  for (const Malformed& c : cases) {
    const Outcome outcome = ParseWhole(c.input);
    EXPECT_EQ(outcome.status, Status::kRefused) << c.name;
    EXPECT_EQ(outcome.refused, c.status) << c.name;
    EXPECT_FALSE(outcome.what.empty()) << c.name;
  }
}

TEST(HeadParser, GivesTheSameOutcomeHoweverTheInputIsCut) {
  std::vector<std::string> inputs = WellFormedHeads();
  for (const Malformed& c : MalformedHeads()) inputs.push_back(c.input);
  for (const std::string& input : inputs) {
    const Outcome whole = ParseWhole(input);
    EXPECT_NE(whole.status, Status::kNeedMore) << input;
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
      EXPECT_EQ(ParseAt(input, {cut, input.size()}), whole) << input << " cut at " << cut;
    }
    EXPECT_EQ(ParseByteByByte(input), whole) << input;
  }
}

TEST(HeadParser, ReadsRequestLineAndFields) {
  HeadParser parser(kLimits);
  Request request;
  const std::string input = Get("AUTHORIZATION:  Bearer x.y.z \t\r\nX-Other: 1\r\nX-Other: 2\r\n");
  ASSERT_EQ(parser.Parse(input, request), Status::kDone);
  EXPECT_EQ(request.method, Method::kGet);
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.path, "/a");
  EXPECT_EQ(request.query, "b=c");
  EXPECT_EQ(request.Get(Known::kAuthorization), "Bearer x.y.z");
  EXPECT_EQ(request.Get(Known::kHost), "deck");
  EXPECT_FALSE(request.Has(Known::kCookie));
  EXPECT_EQ(request.fields.size(), 4U);
  EXPECT_EQ(request.Find("x-other"), "1");
  EXPECT_EQ(request.Find("none").data(), nullptr);
  EXPECT_EQ(parser.size(), input.size());
  EXPECT_FALSE(parser.framing().has_body());
}

TEST(HeadParser, NamesEveryMethodItKnows) {
  const std::pair<const char*, Method> methods[] = {
      {"GET", Method::kGet},     {"HEAD", Method::kHead},     {"POST", Method::kPost},       {"PUT", Method::kPut},
      {"PATCH", Method::kPatch}, {"DELETE", Method::kDelete}, {"OPTIONS", Method::kOptions}, {"TRACE", Method::kOther},
      {"get", Method::kOther},   {"BREW", Method::kOther}};
  for (const auto& [text, method] : methods) {
    HeadParser parser(kLimits);
    Request request;
    const std::string input = std::string(text) + " / HTTP/1.1\r\nHost: deck\r\n\r\n";
    ASSERT_EQ(parser.Parse(input, request), Status::kDone) << text;
    EXPECT_EQ(request.method, method) << text;
    EXPECT_EQ(request.method_text, text);
  }
}

TEST(HeadParser, LeavesWhatFollowsTheHead) {
  HeadParser parser(kLimits);
  Request request;
  const std::string input = Post("Content-Length: 3\r\n");
  ASSERT_EQ(parser.Parse(input + "abcGET", request), Status::kDone);
  EXPECT_EQ(parser.size(), input.size());
  EXPECT_EQ(parser.framing().content_length, 3U);
}

TEST(HeadParser, StaysRefusedUntilReset) {
  HeadParser parser(kLimits);
  Request request;
  EXPECT_EQ(parser.Parse("GET / HTTP/1.0\r\n", request), Status::kRefused);
  EXPECT_EQ(parser.Parse(Get(""), request), Status::kRefused);
  parser.Reset();
  EXPECT_EQ(parser.Parse(Get(""), request), Status::kDone);
}

TEST(HeadParser, RefusesAnotherVersionBeforeTheHeadIsComplete) {
  EXPECT_EQ(ParseWhole("PRI * HTTP/2.0\r\n").refused, 505);
  EXPECT_EQ(ParseWhole("\x16").refused, 400);
}

// A head of exactly `size` bytes.
std::string HeadOfSize(std::size_t size) {
  const std::string empty = Get("X: \r\n");
  return Get("X: " + std::string(size - empty.size(), 'x') + "\r\n");
}

TEST(HeadParser, HoldsTheLimitOfHeaderBytes) {
  Limits limits;
  limits.header_bytes = 200;
  EXPECT_EQ(ParseWhole(HeadOfSize(199), limits).status, Status::kDone);
  EXPECT_EQ(ParseWhole(HeadOfSize(200), limits).status, Status::kDone);
  EXPECT_EQ(ParseWhole(HeadOfSize(201), limits).refused, 431);
  // Without an end in sight: one byte beyond decides.
  const std::string endless = "GET / HTTP/1.1\r\nHost: deck\r\nX: " + std::string(500, 'x');
  EXPECT_EQ(ParseWhole(endless.substr(0, 200), limits).status, Status::kNeedMore);
  EXPECT_EQ(ParseWhole(endless.substr(0, 201), limits).refused, 431);
  for (const std::size_t size : {199U, 200U, 201U}) {
    const std::string head = HeadOfSize(size);
    const Outcome whole = ParseWhole(head, limits);
    for (std::size_t cut = 0; cut < size; ++cut) EXPECT_EQ(ParseAt(head, {cut, size}, limits), whole) << cut;
  }
}

TEST(HeadParser, HoldsTheLimitOfFields) {
  const auto with_fields = [](std::size_t count) {
    std::string fields;
    for (std::size_t i = 1; i < count; ++i) fields += "X: y\r\n";
    return Get(fields);
  };
  EXPECT_EQ(ParseWhole(with_fields(63)).status, Status::kDone);
  EXPECT_EQ(ParseWhole(with_fields(64)).status, Status::kDone);
  EXPECT_EQ(ParseWhole(with_fields(65)).refused, 431);
}

TEST(HeadParser, HoldsTheLimitOfTheTarget) {
  const auto with_target = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: deck\r\n\r\n";
  };
  EXPECT_EQ(ParseWhole(with_target(kLimits.target_bytes - 1)).status, Status::kDone);
  EXPECT_EQ(ParseWhole(with_target(kLimits.target_bytes)).status, Status::kDone);
  EXPECT_EQ(ParseWhole(with_target(kLimits.target_bytes + 1)).refused, 414);
  EXPECT_EQ(ParseWhole(with_target(kLimits.header_bytes)).refused, 414);
}

TEST(HeadParser, LooksAtNoByteTwiceWhileTheHeadIsIncomplete) {
  // Quadratic scanning of 16 KiB in single bytes would take 134 million steps; this ends at once.
  const std::string head = HeadOfSize(kLimits.header_bytes);
  EXPECT_EQ(ParseByteByByte(head).status, Status::kDone);
}

}  // namespace
}  // namespace nd::http
