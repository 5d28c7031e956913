// Formats the head of an answer and the chunks of a streamed one (RFC 9112 sections 4, 6 and 7.1). Pure, apart from the
// buffer appended to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/bytes.h"
#include "http/message.h"

namespace nd::http {

// How the end of the answer's body is told.
enum class BodyCoding : std::uint8_t { kLength, kChunked };
enum class Persistence : std::uint8_t { kKeepAlive, kClose };

struct AnswerFacts {
  std::string_view date;  // IMF-fixdate
  std::string_view request_id;
  BodyCoding coding = BodyCoding::kLength;
  Persistence persistence = Persistence::kKeepAlive;
};

// Statuses whose answers end with their head (RFC 9110 section 6.4.1).
bool IsBodyless(int status);

// Appends status line, Date, X-Request-Id, framing, Connection, and the fields of `response`, but no body. A bodyless
// status gets neither Content-Length nor Transfer-Encoding. A status outside 200 to 599 is a mistake and becomes 500.
void AppendHead(Bytes& out, const Response& response, const AnswerFacts& facts);
// `chunk` must not be empty: an empty chunk would end the body.
void AppendChunk(Bytes& out, std::string_view chunk);
void AppendLastChunk(Bytes& out);

// The Date field, formatted once per second. Not thread-safe.
class DateCache {
 public:
  // IMF-fixdate (RFC 9110 section 5.6.7), valid until the next call.
  std::string_view At(WallTime now);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace nd::http
