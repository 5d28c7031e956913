// Everything a connection needs while a request is inside it: the bytes that arrived, the parsed head, the body. It is
// borrowed from a pool of the loop when the first byte of a request can be read and given back when the connection is
// idle.
//
// Pure: bytes in, steps out; no socket, no clock. Not thread-safe. All input is wiped as soon as its request is done
// with, since heads carry tokens and bodies carry passwords and keys.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "http/bytes.h"
#include "http/chunked.h"
#include "http/limits.h"
#include "http/parser.h"

namespace nd::http {

class Intake {
 public:
  enum class Step : std::uint8_t {
    kNeedMore,  // read into Room(), then Advance again
    kHead,      // the head is there: call AcceptBody or SkipBody
    kComplete,  // the request with its body is there, until EndRequest
    kRefused,   // see refusal(); final
  };

  explicit Intake(const Limits& limits);

  // Where the next bytes go; empty if there is no room before EndRequest. Received says how many came.
  std::span<char> Room();
  void Received(std::size_t size);
  Step Advance();

  // After kHead. AcceptBody: the body, at most `limit` bytes, is collected; a Content-Length above `limit` is the
  // caller's to refuse before. SkipBody: the request counts as complete without its body.
  void AcceptBody(std::size_t limit);
  void SkipBody();
  // Whether the connection can be kept after SkipBody: what is left of the body is small and will surely come.
  bool CanDrain() const;

  // After kComplete: forgets the request and its views, and goes on with what follows; a skipped body is read and
  // dropped.
  void EndRequest();
  // Forgets everything.
  void Clear();

  Request& request() { return request_; }
  const Request& request() const { return request_; }
  const Framing& framing() const { return parser_.framing(); }
  const Refusal& refusal() const { return refusal_; }

  // No byte of a next request has arrived and nothing is left to drain.
  bool idle() const { return phase_ == Phase::kHead && begin_ == end_; }
  // A body, wanted or not, is arriving.
  bool in_body() const { return phase_ >= Phase::kPlain && phase_ <= Phase::kDrain; }
  bool draining() const { return phase_ == Phase::kDrain; }
  bool skipped() const { return phase_ == Phase::kSkipped; }
  // Whether bytes of the body came together with the head (a client that waits for 100 sends none).
  bool body_begun() const { return end_ - begin_ > parser_.size(); }
  // Bytes read since the body began to be waited for.
  std::uint64_t body_received() const { return body_received_; }

 private:
  enum class Phase : std::uint8_t {
    kHead,
    kDecide,
    kPlain,  // Content-Length, kept behind the head
    kApart,  // Content-Length, larger than the block
    kChunked,
    kDrain,
    kComplete,
    kSkipped,
    kRefused,
  };

  std::string_view bytes() const { return {block_.get() + begin_, end_ - begin_}; }
  void Consume(std::size_t size);
  void MakeRoomForHead();
  Step AdvanceChunked();
  Step Refuse(const Refusal& refusal);

  const Limits& limits_;
  const std::size_t capacity_;
  std::unique_ptr<char[]> block_;
  std::size_t begin_ = 0;  // of the request
  std::size_t end_ = 0;    // of what was read
  Phase phase_ = Phase::kHead;
  HeadParser parser_;
  ChunkedDecoder decoder_;
  Request request_;
  Bytes body_;
  std::uint64_t drain_left_ = 0;
  std::uint64_t body_received_ = 0;
  std::size_t chunked_used_ = 0;  // bytes behind the head that belong to the finished chunked body
  Refusal refusal_;
};

}  // namespace nd::http
