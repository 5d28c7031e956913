#include "ipc/frame.h"

#include <algorithm>
#include <cstring>

#include "ipc/fields.h"

namespace nd::ipc {

namespace {
constexpr std::size_t kFirstRoom = 64 * 1024;
}  // namespace

Bytes EncodeFrame(std::uint8_t type, std::uint64_t call, std::string_view payload) {
  Bytes bytes;
  bytes.reserve(kFrameHeader + payload.size());
  FieldWriter(bytes).U32(static_cast<std::uint32_t>(9 + payload.size())).U8(type).U64(call);
  Append(bytes, payload);
  return bytes;
}

std::span<char> FrameDecoder::Room() {
  if (begin_ > 0) {
    const std::size_t kept = end_ - begin_;
    std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
    WipeMemory(buffer_.data() + kept, end_ - kept);
    begin_ = 0;
    end_ = kept;
  }
  if (buffer_.size() - end_ == 0) {
    buffer_.resize(std::clamp(buffer_.size() * 2, kFirstRoom, 4 + kMaxFrame));
  } else if (end_ == 0 && buffer_.size() > kFirstRoom) {
    // One large message does not keep its room for ever.
    buffer_ = Bytes(kFirstRoom);
  }
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void FrameDecoder::Commit(std::size_t size) { end_ += size; }

Result<std::optional<Frame>> FrameDecoder::Next() {
  const auto malformed = [this]() -> Error {
    failed_ = true;
    return InvalidInput("A message between the server's processes is malformed.", "ipc: bad frame length");
  };
  if (failed_) return malformed();
  const std::string_view bytes(buffer_.data() + begin_, end_ - begin_);
  if (bytes.size() < 4) return std::optional<Frame>();
  const std::size_t length = FieldReader(bytes.substr(0, 4)).U32();
  if (length < 9 || length > kMaxFrame) return malformed();
  if (bytes.size() - 4 < length) return std::optional<Frame>();
  FieldReader reader(bytes.substr(4, length));
  Frame frame;
  frame.type = reader.U8();
  frame.call = reader.U64();
  frame.payload = reader.Rest();
  begin_ += 4 + length;
  return std::optional<Frame>(frame);
}

}  // namespace nd::ipc
