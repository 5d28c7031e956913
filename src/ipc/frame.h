// The frame: u32 length of what follows, u8 type, u64 call id, payload. Integers are little-endian.
//
// Pure; not thread-safe. Does no input or output.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "ipc/wiping.h"

namespace nd::ipc {

inline constexpr std::size_t kFrameHeader = 4 + 1 + 8;
// Type, call id and payload together.
inline constexpr std::size_t kMaxFrame = 1024 * 1024;
inline constexpr std::size_t kMaxPayload = kMaxFrame - 9;

struct Frame {
  std::uint8_t type = 0;
  std::uint64_t call = 0;
  std::string_view payload;
};

// One whole frame. Precondition: payload.size() <= kMaxPayload.
Bytes EncodeFrame(std::uint8_t type, std::uint64_t call, std::string_view payload);

// Cuts a byte stream into frames. Once it has failed it fails for ever.
class FrameDecoder {
 public:
  // Room for at least one byte more; fill some of it and say how much with Commit.
  std::span<char> Room();
  void Commit(std::size_t size);

  // The next whole frame, or nullopt if more bytes are needed; kInvalidInput for a length out of bounds. The payload
  // lives until the next call of Next or Room.
  Result<std::optional<Frame>> Next();
  // True between frames: an end of stream here cuts nothing.
  bool at_border() const { return begin_ == end_; }

 private:
  Bytes buffer_;
  std::size_t begin_ = 0;  // first byte not yet handed out
  std::size_t end_ = 0;    // after the last byte received
  bool failed_ = false;
};

}  // namespace nd::ipc
