#include "audit/cursor.h"

#include "base/text.h"

namespace nd::audit {

namespace {
constexpr char kVersion = 1;
constexpr std::size_t kSize = 1 + 4 + 4 + 6;
constexpr std::uint64_t kMaxDays = 2'932'896;      // 9999-12-31
constexpr std::uint64_t kMaxIndex = 999'999'999;  // nine digits in a file name

void Put(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift & 0xff));
}

std::uint64_t Take(std::string_view& bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(0, count)) number = number << 8 | static_cast<unsigned char>(c);
  bytes.remove_prefix(count);
  return number;
}
}  // namespace

std::string Cursor::Format() const {
  std::string bytes(1, kVersion);
  Put(bytes, static_cast<std::uint64_t>(segment.day.time_since_epoch().count()), 4);
  Put(bytes, segment.index, 4);
  Put(bytes, offset, 6);
  return EncodeBase64Url(bytes);
}

std::optional<Cursor> Cursor::Parse(std::string_view text) {
  if (text.size() != kSize * 4 / 3) return std::nullopt;
  const auto decoded = DecodeBase64Url(text);
  if (!decoded || decoded->size() != kSize || (*decoded)[0] != kVersion) return std::nullopt;
  std::string_view bytes = std::string_view(*decoded).substr(1);
  const std::uint64_t days = Take(bytes, 4);
  const std::uint64_t index = Take(bytes, 4);
  Cursor cursor;
  cursor.offset = Take(bytes, 6);
  if (days > kMaxDays || index > kMaxIndex) return std::nullopt;
  cursor.segment = {Day(std::chrono::days(days)), static_cast<std::uint32_t>(index)};
  return cursor;
}

}  // namespace nd::audit
