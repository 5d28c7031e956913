#include "http/parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "http/known_fields.h"

namespace nd::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

bool IsTokenCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool IsVersionOfHttp(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!text.starts_with("HTTP/")) return false;
  text.remove_prefix(5);
  return (text.size() == 1 && digit(text[0])) ||
         (text.size() == 3 && digit(text[0]) && text[1] == '.' && digit(text[2]));
}

Method FromVerb(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get:
      return Method::kGet;
    case beast_http::verb::head:
      return Method::kHead;
    case beast_http::verb::post:
      return Method::kPost;
    case beast_http::verb::put:
      return Method::kPut;
    case beast_http::verb::patch:
      return Method::kPatch;
    case beast_http::verb::delete_:
      return Method::kDelete;
    case beast_http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::string_view Explain(const error_code& ec) {
  if (ec == beast_http::error::bad_method || ec == beast_http::error::bad_target ||
      ec == beast_http::error::bad_version) {
    return "The request line is malformed: send METHOD, one space, a path, one space, HTTP/1.1.";
  }
  if (ec == beast_http::error::bad_field) {
    return "A header field name is malformed: it is a token, directly followed by a colon.";
  }
  if (ec == beast_http::error::bad_value) return "A header field value holds a control character or a malformed list.";
  if (ec == beast_http::error::bad_line_ending) return "Header lines end in CR LF, and CR stands nowhere else.";
  if (ec == beast_http::error::bad_content_length || ec == beast_http::error::multiple_content_length) {
    return "Content-Length is malformed or conflicts with another field.";
  }
  if (ec == beast_http::error::bad_transfer_encoding) {
    return "Transfer-Encoding is repeated or conflicts with Content-Length.";
  }
  return "The request header is malformed.";
}

// Only 1*DIGIT: no sign, no list, no white space (RFC 9110 section 8.6), and a value that fits.
std::optional<std::uint64_t> ParseLength(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool ListHas(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (EqualIgnoreCase(TrimSpace(list.substr(0, comma)), word)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

// Takes Beast's callbacks. Beast checks tokens, control characters, white space and line ends; the rest is here.
class HeadParser::Sink final : public beast_http::basic_parser<true> {
 public:
  Sink(HeadParser& parser, Request& request) : parser_(parser), request_(request) {
    body_limit(boost::none);  // bodies are framed by the intake
    header_limit(static_cast<std::uint32_t>(parser.limits_.header_bytes + 1));
  }

 private:
  using string_view = boost::beast::string_view;

  static std::string_view View(string_view text) { return {text.data(), text.size()}; }

  void Refuse(int status, std::string_view what, error_code& ec) {
    parser_.Refuse(status, what);
    ec = beast_http::error::bad_value;
  }

  void on_request_impl(beast_http::verb verb, string_view method, string_view target, int, error_code& ec) override {
    request_.method = FromVerb(verb);
    request_.method_text = View(method);
    const std::string_view text = View(target);
    if (text.size() > parser_.limits_.target_bytes) return Refuse(414, "The request target is too long.", ec);
    if (text.front() != '/') {
      return Refuse(400, "The request target must be a path starting with a slash: this server is no proxy.", ec);
    }
    const auto foreign = [](char c) { return c == '#' || static_cast<unsigned char>(c) > 0x7e; };
    if (std::any_of(text.begin(), text.end(), foreign)) {
      return Refuse(400, "The request target holds a fragment or a character that must be percent-encoded.", ec);
    }
    request_.target = text;
    const auto question = text.find('?');
    request_.path = text.substr(0, question);
    request_.query = question == std::string_view::npos ? std::string_view{} : text.substr(question + 1);
  }

  void on_field_impl(beast_http::field, string_view name, string_view value, error_code& ec) override {
    auto& fields = parser_.fields_;
    if (fields.size() >= parser_.limits_.header_fields) {
      return Refuse(431, "The request has too many header fields.", ec);
    }
    fields.push_back({View(name), View(value)});
    const Known known = ClassifyField(fields.back().name);
    if (known == Known::kCount) return;
    std::string_view& slot = request_.known[static_cast<std::size_t>(known)];
    if (slot.data() != nullptr) return Refuse(400, "A header field that may occur once was repeated.", ec);
    slot = fields.back().value;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  HeadParser& parser_;
  Request& request_;
};

HeadParser::HeadParser(const Limits& limits) : limits_(limits) { fields_.reserve(limits.header_fields); }

void HeadParser::Reset() {
  start_ = scanned_ = line_ = size_ = 0;
  framing_ = {};
  refusal_ = {};
  fields_.clear();
}

HeadParser::Status HeadParser::Refuse(int status, std::string_view what) {
  if (refusal_.status == 0) refusal_ = {status, what};
  return Status::kRefused;
}

HeadParser::Status HeadParser::Parse(std::string_view input, Request& request) {
  if (refusal_.status != 0) return Status::kRefused;
  if (const Status found = FindEnd(input); found != Status::kDone) return found;
  request.known = {};
  return ParseFields(input.substr(start_, size_ - start_), request);
}

HeadParser::Status HeadParser::FindEnd(std::string_view input) {
  if (start_ == 0 && input.starts_with('\r')) {
    // One empty line before a request is ignored (RFC 9112 section 2.2): old clients send it after a body.
    if (input.size() < 2) return Status::kNeedMore;
    if (input[1] != '\n') return Refuse(400, "The request does not start with a method.");
    start_ = scanned_ = line_ = 2;
  }
  if (input.size() <= start_) return Status::kNeedMore;
  if (scanned_ == start_ && !IsTokenCharacter(input[start_])) {
    return Refuse(400, input[start_] == '\x16' ? "This port speaks plain HTTP, not TLS."
                                               : "The request does not start with a method.");
  }

  const std::string_view window = input.substr(0, start_ + limits_.header_bytes);
  for (auto lf = window.find('\n', scanned_); lf != std::string_view::npos; lf = window.find('\n', scanned_)) {
    scanned_ = lf + 1;
    if (lf == line_ || window[lf - 1] != '\r') return Refuse(400, "Header lines end in CR LF, not in LF alone.");
    const std::string_view line = window.substr(line_, lf - 1 - line_);
    if (line_ == start_) {
      if (CheckRequestLine(line) == Status::kRefused) return Status::kRefused;
    } else if (line.empty()) {
      size_ = lf + 1;
      return Status::kDone;
    } else if (line.front() == ' ' || line.front() == '\t') {
      return Refuse(400, "Header fields must not be folded over several lines.");
    }
    line_ = lf + 1;
  }
  scanned_ = window.size();
  if (input.size() <= window.size()) return Status::kNeedMore;
  return line_ == start_ ? Refuse(414, "The request line is too long.")
                         : Refuse(431, "The request header is too large.");
}

HeadParser::Status HeadParser::CheckRequestLine(std::string_view line) {
  // At once, so that other protocols and other versions do not wait for a header that never ends.
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  if (version == "HTTP/1.1") return Status::kDone;
  if (IsVersionOfHttp(version)) return Refuse(505, "This server speaks HTTP/1.1 only.");
  return Refuse(400, "The request line is malformed: send METHOD, one space, a path, one space, HTTP/1.1.");
}

HeadParser::Status HeadParser::ParseFields(std::string_view head, Request& request) {
  Sink sink(*this, request);
  error_code ec;
  const std::size_t used = sink.put(boost::asio::const_buffer(head.data(), head.size()), ec);
  if (ec) return Refuse(400, Explain(ec));
  if (used != head.size()) return Refuse(400, "The request header is malformed.");
  request.fields = fields_;
  return CheckFraming(request);
}

HeadParser::Status HeadParser::CheckFraming(const Request& request) {
  if (TrimSpace(request.Get(Known::kHost)).empty()) return Refuse(400, "The request needs a Host header field.");
  if (request.Has(Known::kTransferEncoding)) {
    if (request.Has(Known::kContentLength)) {
      return Refuse(400, "Content-Length and Transfer-Encoding must not stand together.");
    }
    if (!EqualIgnoreCase(request.Get(Known::kTransferEncoding), "chunked")) {
      return Refuse(400, "The only transfer coding accepted is chunked.");
    }
    framing_.chunked = true;
  }
  if (request.Has(Known::kContentLength)) {
    const auto length = ParseLength(request.Get(Known::kContentLength));
    if (!length) return Refuse(400, "Content-Length must be one decimal number.");
    framing_.content_length = *length;
  }
  if (request.Has(Known::kExpect)) {
    if (!EqualIgnoreCase(request.Get(Known::kExpect), "100-continue")) {
      return Refuse(417, "The only expectation accepted is 100-continue.");
    }
    framing_.expect_continue = framing_.has_body();
  }
  framing_.close = ListHas(request.Get(Known::kConnection), "close");
  return Status::kDone;
}

}  // namespace nd::http
