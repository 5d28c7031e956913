// The head of one HTTP/1.1 request (RFC 9112 sections 2 to 6), read strictly: request line and header fields become
// views, and the framing of the body is decided. Everything that two servers could read differently is refused.
//
// Pure and incremental: the outcome does not depend on how the bytes were cut. Not thread-safe. Reads no body: see
// intake.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "http/limits.h"
#include "http/message.h"

namespace nd::http {

// Why HTTP itself refuses a request. `what` is a fixed sentence.
struct Refusal {
  int status = 0;
  std::string_view what;
};

// How the body of a request is delimited, and what the client asked of the connection.
struct Framing {
  bool chunked = false;
  std::uint64_t content_length = 0;  // 0 when chunked or absent
  bool expect_continue = false;
  bool close = false;

  bool has_body() const { return chunked || content_length != 0; }
};

class HeadParser {
 public:
  enum class Status : std::uint8_t { kNeedMore, kDone, kRefused };

  explicit HeadParser(const Limits& limits);

  // `input` starts at the first byte of the request and has grown, in the same place, since the last call. Looks at no
  // byte twice before the head is complete. When kDone, `request` holds views into `input` (body, id, peer and tls are
  // not touched). kRefused is final until Reset.
  Status Parse(std::string_view input, Request& request);
  // For the next request.
  void Reset();

  // After kDone: bytes of the head, with its last empty line (and one empty line before it, which is allowed).
  std::size_t size() const { return size_; }
  const Framing& framing() const { return framing_; }
  // After kRefused.
  const Refusal& refusal() const { return refusal_; }

 private:
  class Sink;

  Status Refuse(int status, std::string_view what);
  Status FindEnd(std::string_view input);
  Status CheckRequestLine(std::string_view line);
  Status ParseFields(std::string_view head, Request& request);
  Status CheckFraming(const Request& request);

  const Limits& limits_;
  std::size_t start_ = 0;    // of the request line
  std::size_t scanned_ = 0;  // everything before it was looked at
  std::size_t line_ = 0;     // start of the line being scanned
  std::size_t size_ = 0;
  Framing framing_;
  Refusal refusal_;
  std::vector<Field> fields_;
};

}  // namespace nd::http
