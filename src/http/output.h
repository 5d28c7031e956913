// The answers of one connection on their way out: one contiguous buffer, sent as far as the kernel takes it.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <utility>

#include "http/bytes.h"
#include "net/stream.h"

namespace nd::http {

class Output {
 public:
  enum class Flushed : std::uint8_t { kAll, kBlocked, kFailed };

  // Append answers here.
  Bytes& bytes() { return bytes_; }
  std::size_t pending() const { return bytes_.size() - sent_; }
  // What is in the buffer now is wiped once it is sent.
  void MarkSensitive() { sensitive_ = true; }

  // Sends without waiting.
  Flushed FlushTo(net::Stream& stream);
  // Drops what is pending.
  void Clear();

  // Lends and takes back the buffer's memory while nothing is pending, so that idle connections hold none.
  void Lend(Bytes&& memory) { bytes_ = std::move(memory); }
  Bytes TakeBack() { return std::exchange(bytes_, Bytes()); }

 private:
  Bytes bytes_;
  std::size_t sent_ = 0;
  bool sensitive_ = false;
};

}  // namespace nd::http
