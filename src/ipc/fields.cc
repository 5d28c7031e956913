#include "ipc/fields.h"

#include <utility>

namespace nd::ipc {

namespace {
void AppendLittleEndian(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}
}  // namespace

FieldWriter& FieldWriter::U8(std::uint8_t value) {
  AppendLittleEndian(out_, value, 1);
  return *this;
}
FieldWriter& FieldWriter::U16(std::uint16_t value) {
  AppendLittleEndian(out_, value, 2);
  return *this;
}
FieldWriter& FieldWriter::U32(std::uint32_t value) {
  AppendLittleEndian(out_, value, 4);
  return *this;
}
FieldWriter& FieldWriter::U64(std::uint64_t value) {
  AppendLittleEndian(out_, value, 8);
  return *this;
}
FieldWriter& FieldWriter::Text(std::string_view text) {
  U32(static_cast<std::uint32_t>(text.size()));
  Append(out_, text);
  return *this;
}

std::uint64_t FieldReader::Unsigned(std::size_t size) {
  if (failed_ || rest_.size() < size) {
    failed_ = true;
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(size);
  return value;
}

std::uint8_t FieldReader::U8() { return static_cast<std::uint8_t>(Unsigned(1)); }
std::uint16_t FieldReader::U16() { return static_cast<std::uint16_t>(Unsigned(2)); }
std::uint32_t FieldReader::U32() { return static_cast<std::uint32_t>(Unsigned(4)); }
std::uint64_t FieldReader::U64() { return Unsigned(8); }

bool FieldReader::Bool() { return Choice(1) == 1; }

std::string_view FieldReader::Text(std::size_t max_size) {
  const std::size_t size = U32();
  if (failed_ || size > max_size || size > rest_.size()) {
    failed_ = true;
    return {};
  }
  const std::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

std::uint32_t FieldReader::Count(std::uint32_t max) {
  const std::uint32_t count = U32();
  if (count <= max) return count;
  failed_ = true;
  return 0;
}

std::uint8_t FieldReader::Choice(std::uint8_t max) {
  const std::uint8_t value = U8();
  if (value <= max) return value;
  failed_ = true;
  return 0;
}

std::string_view FieldReader::Rest() {
  if (failed_) return {};
  return std::exchange(rest_, {});
}

Result<void> FieldReader::Finish() const {
  if (failed_) return InvalidInput("A message between the server's processes is malformed.", "ipc: bad field");
  if (!rest_.empty()) {
    return InvalidInput("A message between the server's processes is malformed.", "ipc: bytes after the last field");
  }
  return {};
}

}  // namespace nd::ipc
