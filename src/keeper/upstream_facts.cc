#include "keeper/upstream_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/json.h"
#include "base/text.h"

namespace nd::keeper {

namespace {

constexpr int kLongestWait = 86'400;

// RFC 9110, 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kOthers.find(c) != kOthers.npos;
  });
}

bool IsErrorCode(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

std::optional<int> Number(std::string_view digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool all_digits = !digits.empty() && digits.front() != '-';
  if (!all_digits || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<WallTime> ParseHttpDate(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const auto day = Number(text.substr(5, 2));
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto year = Number(text.substr(12, 4));
  const auto hour = Number(text.substr(17, 2));
  const auto minute = Number(text.substr(20, 2));
  const auto second = Number(text.substr(23, 2));
  if (!day || month == kMonths.end() || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::string_view StringMember(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

std::optional<std::string> PlainMediaType(std::string_view content_type) {
  const std::string_view essence = TrimSpace(content_type.substr(0, content_type.find(';')));
  const auto slash = essence.find('/');
  if (essence.size() > 127 || slash == std::string_view::npos) return std::nullopt;
  if (!IsToken(essence.substr(0, slash)) || !IsToken(essence.substr(slash + 1))) return std::nullopt;
  return LowerAscii(essence);
}

std::string ErrorCodeOf(std::string_view body) {
  const auto document = ParseJson(body);
  if (!document.ok() || !document->root().is_object()) return {};
  const boost::json::value* error = document->root().get_object().if_contains("error");
  if (error == nullptr || !error->is_object()) return {};
  for (const std::string_view name : {"code", "type"}) {
    const std::string_view text = StringMember(error->get_object(), name);
    if (IsErrorCode(text)) return std::string(text);
  }
  return {};
}

std::optional<int> RetryAfterSeconds(std::string_view value, WallTime now) {
  value = TrimSpace(value);
  if (const auto seconds = Number(value)) {
    if (*seconds > kLongestWait) return std::nullopt;
    return seconds;
  }
  const auto date = ParseHttpDate(value);
  if (!date) return std::nullopt;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(*date - now);
  if (wait > std::chrono::seconds(kLongestWait)) return std::nullopt;
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

}  // namespace nd::keeper
