#include "audit/segment.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace nd::audit {

namespace {

bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A decimal number without sign or leading zeros, of at most `max_digits`.
std::optional<std::uint64_t> TakeNumber(std::string_view& text, std::size_t max_digits) {
  std::size_t digits = 0;
  std::uint64_t number = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == max_digits || (digits > 0 && text[0] == '0')) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

std::optional<Day> TakeDay(std::string_view& text) {
  if (text.size() < 10) return std::nullopt;
  const auto day = ParseDay(text.substr(0, 10));
  if (day) text.remove_prefix(10);
  return day;
}

}  // namespace

Day DayOf(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

std::optional<Day> ParseDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  unsigned number = 0;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(text[i] - '0');
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(number / 10'000)),
                                         std::chrono::month(number / 100 % 100), std::chrono::day(number % 100));
  if (!date.ok()) return std::nullopt;
  return Day(date);
}

std::string Segment::FileName() const {
  const std::string date = FormatDate(WallTime(day));
  return index == 0 ? fmt::format("audit-{}.jsonl", date) : fmt::format("audit-{}.{}.jsonl", date, index);
}

std::optional<Segment> Segment::Parse(std::string_view name) {
  Segment segment;
  if (!Take(name, "audit-")) return std::nullopt;
  const auto day = TakeDay(name);
  if (!day) return std::nullopt;
  segment.day = *day;
  if (name == ".jsonl") return segment;
  if (!Take(name, ".")) return std::nullopt;
  const auto index = TakeNumber(name, 9);
  if (!index || *index == 0 || name != ".jsonl") return std::nullopt;
  segment.index = static_cast<std::uint32_t>(*index);
  return segment;
}

std::optional<TornFile> TornFile::Parse(std::string_view file_name) {
  std::string_view name = file_name;
  if (!Take(name, "torn-")) return std::nullopt;
  const auto sequence = TakeNumber(name, 19);
  if (!sequence || !Take(name, "-")) return std::nullopt;
  const auto day = TakeDay(name);
  if (!day) return std::nullopt;
  if (name != ".bin") {
    if (!Take(name, ".")) return std::nullopt;
    const auto attempt = TakeNumber(name, 1);
    if (!attempt || *attempt == 0 || name != ".bin") return std::nullopt;
  }
  return TornFile{std::string(file_name), *sequence, *day};
}

std::string TornFileName(std::uint64_t sequence, Day day, int attempt) {
  const std::string name = fmt::format("torn-{}-{}", sequence, FormatDate(WallTime(day)));
  return attempt == 0 ? name + ".bin" : fmt::format("{}.{}.bin", name, attempt);
}

Result<Listing> ListDirectory(const std::string& directory) {
  const auto close_directory = [](DIR* dir) { closedir(dir); };
  const std::unique_ptr<DIR, decltype(close_directory)> dir(opendir(directory.c_str()));
  if (!dir) {
    const std::string detail = "open " + directory + ": " + std::strerror(errno);
    if (errno == ENOENT) return NotFound("There is no audit log yet.", detail);
    if (errno == EACCES) return Forbidden("The server may not read its audit directory.", detail);
    return Internal(detail);
  }
  Listing listing;
  for (errno = 0;; errno = 0) {
    const dirent* entry = readdir(dir.get());
    if (entry == nullptr) break;
    if (const auto segment = Segment::Parse(entry->d_name)) listing.segments.push_back(*segment);
    if (auto torn = TornFile::Parse(entry->d_name)) listing.torn.push_back(std::move(*torn));
  }
  if (errno != 0) return InternalErrno("readdir " + directory, errno);
  std::sort(listing.segments.begin(), listing.segments.end());
  std::sort(listing.torn.begin(), listing.torn.end(), [](const TornFile& a, const TornFile& b) {
    return a.day != b.day ? a.day < b.day : a.name < b.name;
  });
  return listing;
}

}  // namespace nd::audit
