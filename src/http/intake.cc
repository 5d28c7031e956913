#include "http/intake.h"

#include <algorithm>
#include <cstring>

#include "base/secret.h"

namespace nd::http {
namespace {

// Room behind the largest head, for small bodies and for the raw bytes of chunked ones.
constexpr std::size_t kSlack = 8 * 1024;
// How much of a large body is read at once.
constexpr std::size_t kBodyStep = 64 * 1024;
// A body buffer larger than this is not kept for the next request.
constexpr std::size_t kKeptBody = 64 * 1024;

}  // namespace

Intake::Intake(const Limits& limits)
    : limits_(limits),
      // Twice the head, so that pipelined requests are moved to the front rarely.
      capacity_(2 * limits.header_bytes + kSlack),
      block_(new char[capacity_]),
      parser_(limits) {}

std::span<char> Intake::Room() {
  if (phase_ == Phase::kApart) {
    const std::uint64_t left = parser_.framing().content_length - body_.size();
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBodyStep));
    return {body_.Prepare(step), step};
  }
  return {block_.get() + end_, capacity_ - end_};
}

void Intake::Received(std::size_t size) {
  if (in_body()) body_received_ += size;
  if (phase_ == Phase::kApart) {
    body_.Commit(size);
  } else {
    end_ += size;
  }
}

Intake::Step Intake::Refuse(const Refusal& refusal) {
  refusal_ = refusal;
  phase_ = Phase::kRefused;
  return Step::kRefused;
}

Intake::Step Intake::Advance() {
  if (phase_ == Phase::kDrain) {
    const auto drop = static_cast<std::size_t>(std::min<std::uint64_t>(drain_left_, end_ - begin_));
    Consume(drop);
    drain_left_ -= drop;
    if (drain_left_ != 0) return Step::kNeedMore;
    phase_ = Phase::kHead;
    MakeRoomForHead();
  }
  const std::uint64_t length = parser_.framing().content_length;
  switch (phase_) {
    case Phase::kHead:
      if (begin_ == end_) return Step::kNeedMore;
      switch (parser_.Parse(bytes(), request_)) {
        case HeadParser::Status::kNeedMore:
          return Step::kNeedMore;
        case HeadParser::Status::kRefused:
          return Refuse(parser_.refusal());
        case HeadParser::Status::kDone:
          break;
      }
      phase_ = Phase::kDecide;
      return Step::kHead;
    case Phase::kDecide:
      return Step::kHead;
    case Phase::kPlain:
      if (bytes().size() - parser_.size() < length) return Step::kNeedMore;
      request_.body = bytes().substr(parser_.size(), static_cast<std::size_t>(length));
      phase_ = Phase::kComplete;
      return Step::kComplete;
    case Phase::kApart:
      if (body_.size() < length) return Step::kNeedMore;
      request_.body = body_.view();
      phase_ = Phase::kComplete;
      return Step::kComplete;
    case Phase::kChunked:
      return AdvanceChunked();
    case Phase::kComplete:
    case Phase::kSkipped:
      return Step::kComplete;
    case Phase::kDrain:
    case Phase::kRefused:
      break;
  }
  return Step::kRefused;
}

Intake::Step Intake::AdvanceChunked() {
  const std::size_t head = parser_.size();
  const std::string_view raw = bytes().substr(head);
  if (raw.empty()) return Step::kNeedMore;
  switch (decoder_.Decode(raw, body_)) {
    case ChunkedDecoder::Status::kNeedMore:
      WipeMemory(block_.get() + begin_ + head, raw.size());
      end_ = begin_ + head;
      return Step::kNeedMore;
    case ChunkedDecoder::Status::kMalformed:
      return Refuse({400, "The chunked body is malformed, or its extensions and trailers are too large."});
    case ChunkedDecoder::Status::kTooLarge:
      return Refuse({413, "The request body is too large."});
    case ChunkedDecoder::Status::kDone:
      break;
  }
  chunked_used_ = decoder_.consumed();
  request_.body = body_.view();
  phase_ = Phase::kComplete;
  return Step::kComplete;
}

void Intake::AcceptBody(std::size_t limit) {
  body_received_ = 0;
  const Framing& framing = parser_.framing();
  if (framing.chunked) {
    decoder_.Start(limit, limits_.chunk_overhead);
    phase_ = Phase::kChunked;
    return;
  }
  const std::size_t head = parser_.size();
  if (framing.content_length < capacity_ - begin_ - head) {
    phase_ = Phase::kPlain;
    return;
  }
  // Everything behind the head belongs to this body, since it is larger than the block.
  phase_ = Phase::kApart;
  body_.Append(bytes().substr(head));
  WipeMemory(block_.get() + begin_ + head, end_ - begin_ - head);
  end_ = begin_ + head;
}

void Intake::SkipBody() {
  request_.body = {};
  phase_ = Phase::kSkipped;
}

bool Intake::CanDrain() const {
  const Framing& framing = parser_.framing();
  if (!framing.has_body()) return true;
  // A client that waits for 100 and gets a final answer may leave the body out: what it sends next is ambiguous.
  if (framing.expect_continue && !body_begun()) return false;
  return !framing.chunked && framing.content_length <= limits_.drain_bytes;
}

void Intake::EndRequest() {
  const std::size_t head = parser_.size();
  const std::uint64_t length = parser_.framing().content_length;
  const bool skipped = phase_ == Phase::kSkipped;
  if (skipped || !body_.empty()) {
    Consume(head + chunked_used_);
  } else {
    Consume(head + chunked_used_ + static_cast<std::size_t>(length));
  }
  drain_left_ = skipped ? length : 0;
  body_received_ = 0;
  chunked_used_ = 0;
  if (body_.capacity() > kKeptBody) {
    body_.Free();
  } else if (body_.capacity() != 0) {
    body_.Clear();
  }
  request_.body = {};
  parser_.Reset();
  phase_ = drain_left_ == 0 ? Phase::kHead : Phase::kDrain;
  if (phase_ == Phase::kHead) MakeRoomForHead();
}

void Intake::Clear() {
  Consume(end_ - begin_);
  body_.Free();
  parser_.Reset();
  request_.known = {};
  request_.fields = {};
  request_.body = {};
  refusal_ = {};
  drain_left_ = 0;
  body_received_ = 0;
  chunked_used_ = 0;
  phase_ = Phase::kHead;
}

void Intake::Consume(std::size_t size) {
  WipeMemory(block_.get() + begin_, size);
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

// The head and its views stay where they are once scanning began, so room for the largest one is made before.
void Intake::MakeRoomForHead() {
  if (capacity_ - begin_ >= limits_.header_bytes + kSlack) return;
  const std::size_t size = end_ - begin_;
  const std::size_t old_end = end_;
  std::memmove(block_.get(), block_.get() + begin_, size);
  begin_ = 0;
  end_ = size;
  WipeMemory(block_.get() + end_, old_end - end_);
}

}  // namespace nd::http
