// The chunked transfer coding of a request body (RFC 9112 section 7.1), decoded strictly. Extensions and trailers are
// checked, bounded and dropped.
//
// Pure and incremental: the outcome does not depend on how the bytes were cut. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/bytes.h"

namespace nd::http {

class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t { kNeedMore, kDone, kMalformed, kTooLarge };

  // `max_body` bounds the decoded body, `max_overhead` all extensions and trailers together, in bytes.
  void Start(std::size_t max_body, std::size_t max_overhead);

  // Appends what `input` decodes to, to `body`. All of `input` is used unless kDone, which leaves what follows the
  // body; see consumed(). kMalformed and kTooLarge are final until Start.
  Status Decode(std::string_view input, Bytes& body);
  // Bytes that the last call used.
  std::size_t consumed() const { return consumed_; }

 private:
  enum class State : std::uint8_t {
    kSizeFirst,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerFirst,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
    kDone,
    kMalformed,
    kTooLarge,
  };

  State Next(char c);
  State AfterDigit(char c);
  State EndOfSize();
  State Overhead(State next);

  State state_ = State::kSizeFirst;
  std::uint64_t remaining_ = 0;  // of the chunk
  std::uint64_t room_ = 0;       // of the body
  std::size_t overhead_room_ = 0;
  int digits_ = 0;
  std::size_t consumed_ = 0;
};

}  // namespace nd::http
