#include "http/chunked.h"

#include <algorithm>

namespace nd::http {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// field-vchar, SP, HTAB and obs-text.
bool IsText(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool IsToken(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

}  // namespace

void ChunkedDecoder::Start(std::size_t max_body, std::size_t max_overhead) {
  state_ = State::kSizeFirst;
  remaining_ = 0;
  room_ = max_body;
  overhead_room_ = max_overhead;
  digits_ = 0;
  consumed_ = 0;
}

ChunkedDecoder::Status ChunkedDecoder::Decode(std::string_view input, Bytes& body) {
  std::size_t at = 0;
  while (at < input.size() && state_ < State::kDone) {
    if (state_ != State::kData) {
      state_ = Next(input[at++]);
      continue;
    }
    const std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
    body.Append(input.substr(at, take));
    at += take;
    remaining_ -= take;
    if (remaining_ == 0) state_ = State::kDataCr;
  }
  consumed_ = at;
  switch (state_) {
    case State::kDone:
      return Status::kDone;
    case State::kMalformed:
      return Status::kMalformed;
    case State::kTooLarge:
      return Status::kTooLarge;
    default:
      return Status::kNeedMore;
  }
}

ChunkedDecoder::State ChunkedDecoder::Next(char c) {
  switch (state_) {
    case State::kSizeFirst:
      digits_ = 0;
      remaining_ = 0;
      return AfterDigit(c);
    case State::kSize:
      if (c == '\r') return State::kSizeLf;
      if (c == ';') return Overhead(State::kExtension);
      return AfterDigit(c);
    case State::kExtension:
      if (c == '\r') return State::kSizeLf;
      return IsText(c) ? Overhead(State::kExtension) : State::kMalformed;
    case State::kSizeLf:
      return c == '\n' ? EndOfSize() : State::kMalformed;
    case State::kDataCr:
      return c == '\r' ? State::kDataLf : State::kMalformed;
    case State::kDataLf:
      return c == '\n' ? State::kSizeFirst : State::kMalformed;
    case State::kTrailerFirst:
      if (c == '\r') return State::kLastLf;
      return IsToken(c) ? Overhead(State::kTrailerName) : State::kMalformed;
    case State::kTrailerName:
      if (c == ':') return Overhead(State::kTrailerValue);
      return IsToken(c) ? Overhead(State::kTrailerName) : State::kMalformed;
    case State::kTrailerValue:
      if (c == '\r') return State::kTrailerLf;
      return IsText(c) ? Overhead(State::kTrailerValue) : State::kMalformed;
    case State::kTrailerLf:
      return c == '\n' ? State::kTrailerFirst : State::kMalformed;
    case State::kLastLf:
      return c == '\n' ? State::kDone : State::kMalformed;
    default:
      return state_;
  }
}

// 1*HEXDIG and nothing else: at most 15 digits, so that no size overflows.
ChunkedDecoder::State ChunkedDecoder::AfterDigit(char c) {
  const int value = HexValue(c);
  if (value < 0 || ++digits_ > 15) return State::kMalformed;
  remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(value);
  return State::kSize;
}

ChunkedDecoder::State ChunkedDecoder::EndOfSize() {
  if (remaining_ == 0) return State::kTrailerFirst;
  if (remaining_ > room_) return State::kTooLarge;
  room_ -= remaining_;
  return State::kData;
}

ChunkedDecoder::State ChunkedDecoder::Overhead(State next) {
  if (overhead_room_ == 0) return State::kMalformed;
  --overhead_room_;
  return next;
}

}  // namespace nd::http
