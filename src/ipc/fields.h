// The fields inside a frame's payload: integers in little-endian order, texts with a 32-bit length before them.
//
// Pure; not thread-safe. Knows no message: writer and reader must agree on the order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "ipc/wiping.h"

namespace nd::ipc {

class FieldWriter {
 public:
  explicit FieldWriter(Bytes& out) : out_(out) {}

  FieldWriter& U8(std::uint8_t value);
  FieldWriter& U16(std::uint16_t value);
  FieldWriter& U32(std::uint32_t value);
  FieldWriter& U64(std::uint64_t value);
  FieldWriter& I64(std::int64_t value) { return U64(static_cast<std::uint64_t>(value)); }
  FieldWriter& Bool(bool value) { return U8(value ? 1 : 0); }
  FieldWriter& Text(std::string_view text);

 private:
  Bytes& out_;
};

// Reads fields in order. The first failure is kept: what is read after it is zero or empty, and Finish() reports it.
class FieldReader {
 public:
  // `payload` outlives the reader; texts are views into it.
  explicit FieldReader(std::string_view payload) : rest_(payload) {}

  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  std::int64_t I64() { return static_cast<std::int64_t>(U64()); }
  bool Bool();  // 0 or 1; anything else fails
  std::string_view Text(std::size_t max_size);
  std::string TextCopy(std::size_t max_size) { return std::string(Text(max_size)); }
  nd::Secret SecretText(std::size_t max_size) { return nd::Secret(Text(max_size)); }
  // A number of items to follow. Fails above `max`, so that a loop over it is bounded.
  std::uint32_t Count(std::uint32_t max);
  // A value from 0 to `max`, for enumerations.
  std::uint8_t Choice(std::uint8_t max);
  // What is left, taken whole.
  std::string_view Rest();

  void Fail() { failed_ = true; }
  bool failed() const { return failed_; }
  // kInvalidInput if a read failed or bytes are left over.
  Result<void> Finish() const;

 private:
  std::uint64_t Unsigned(std::size_t size);
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace nd::ipc
