#include "http/response_writer.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

namespace nd::http {
namespace {

class Cursor {
 public:
  explicit Cursor(char* at) : at_(at) {}
  Cursor& Put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  const char* at() const { return at_; }

 private:
  char* at_;
};

void AppendTwoDigits(std::string& out, unsigned value) {
  out.push_back(static_cast<char>('0' + value / 10 % 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

bool IsBodyless(int status) { return status == 204 || status == 304; }

void AppendHead(Bytes& out, const Response& response, const AnswerFacts& facts) {
  const int status = response.status >= 200 && response.status <= 599 ? response.status : 500;
  const std::array<char, 4> code = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                                    static_cast<char>('0' + status % 10), ' '};
  std::array<char, 20> digits;
  std::string_view length;
  std::string_view framing;
  if (!IsBodyless(status)) {
    if (facts.coding == BodyCoding::kChunked) {
      framing = "Transfer-Encoding: chunked\r\n";
    } else {
      framing = "Content-Length: ";
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), response.body.size()).ptr;
      length = {digits.data(), static_cast<std::size_t>(end - digits.data())};
    }
  }
  const std::array<std::string_view, 17> parts = {
      "HTTP/1.1 ",
      std::string_view(code.data(), code.size()),
      ReasonPhrase(status),
      "\r\nDate: ",
      facts.date,
      "\r\nX-Request-Id: ",
      facts.request_id,
      "\r\n",
      response.content_type.empty() ? "" : "Content-Type: ",
      response.content_type,
      response.content_type.empty() ? "" : "\r\n",
      framing,
      length,
      length.empty() ? "" : "\r\n",
      facts.persistence == Persistence::kClose ? "Connection: close\r\n" : "",
      response.shared_fields != nullptr ? std::string_view(*response.shared_fields) : std::string_view(),
      response.fields,
  };
  std::size_t size = 2;
  for (const std::string_view part : parts) size += part.size();
  Cursor cursor(out.Extend(size));
  for (const std::string_view part : parts) cursor.Put(part);
  cursor.Put("\r\n");
}

void AppendChunk(Bytes& out, std::string_view chunk) {
  std::array<char, 18> line;
  char* end = std::to_chars(line.data(), line.data() + 16, chunk.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  const std::string_view size_line(line.data(), static_cast<std::size_t>(end - line.data()));
  Cursor(out.Extend(size_line.size() + chunk.size() + 2)).Put(size_line).Put(chunk).Put("\r\n");
}

void AppendLastChunk(Bytes& out) { out.Append("0\r\n\r\n"); }

std::string_view DateCache::At(WallTime now) {
  const std::int64_t second = UnixSeconds(now);
  if (second == second_) return text_;
  second_ = second;
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const auto time = static_cast<unsigned>(std::chrono::floor<std::chrono::seconds>(now - day).count());
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  text_.clear();
  text_ += kDays[std::chrono::weekday(day).c_encoding()];
  text_ += ", ";
  AppendTwoDigits(text_, static_cast<unsigned>(date.day()));
  text_ += ' ';
  text_ += kMonths[static_cast<unsigned>(date.month()) - 1];
  text_ += ' ';
  AppendTwoDigits(text_, year / 100);
  AppendTwoDigits(text_, year % 100);
  text_ += ' ';
  AppendTwoDigits(text_, time / 3600);
  text_ += ':';
  AppendTwoDigits(text_, time / 60 % 60);
  text_ += ':';
  AppendTwoDigits(text_, time % 60);
  text_ += " GMT";
  return text_;
}

}  // namespace nd::http
