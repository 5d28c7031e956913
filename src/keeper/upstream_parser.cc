#include "keeper/upstream_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>

#include "base/text.h"

namespace nd::keeper {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::beast::error_code;

// Longest piece of framing (a header, a chunk's first line, trailers) that may wait for its end.
constexpr std::size_t kMaxPending = kMaxResponseHeader + 1024;

Error Malformed(std::string_view why) {
  return Unavailable("The provider sent an answer that could not be understood. Try again later.",
                     "upstream answer: " + std::string(why));
}

class Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(std::string& body) : body_(&body) {
    header_limit(kMaxResponseHeader);
    body_limit(boost::none);  // streamed, never collected here
    eager(true);
  }
  void set_body(std::string& body) { body_ = &body; }
  const UpstreamHead& head() const { return head_; }

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, ErrorCode&) override {}
  void on_response_impl(int code, beast::string_view, int, ErrorCode&) override { head_.status = code; }
  void on_field_impl(http::field name, beast::string_view, beast::string_view value, ErrorCode&) override {
    const std::string_view text(value.data(), value.size());
    if (name == http::field::content_type) head_.content_type = text;
    if (name == http::field::retry_after) head_.retry_after = text;
    if (name == http::field::content_encoding && !EqualIgnoreCase(TrimSpace(text), "identity"))
      head_.identity_coding = false;
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, ErrorCode&) override {}
  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    body_->append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCode&) override {
    body_->append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  std::string* body_;
  UpstreamHead head_;
};

}  // namespace

class UpstreamParser::Impl {
 public:
  Impl() { parser_.emplace(scratch_); }

  Result<void> Push(std::string_view bytes, std::string& body) {
    if (failed_) return Malformed("it failed before");
    if (!bytes.empty()) started_ = true;
    parser_->set_body(body);
    pending_.append(bytes);
    std::size_t used = 0;
    while (used < pending_.size() && !parser_->is_done()) {
      ErrorCode ec;
      const std::size_t taken =
          parser_->put(boost::asio::const_buffer(pending_.data() + used, pending_.size() - used), ec);
      used += taken;
      if (ec && ec != http::error::need_more) {
        failed_ = true;
        return Malformed(ec.message());
      }
      // 1xx is followed by the real answer, except 101, which we never ask for.
      if (parser_->is_done() && parser_->head().status < 200) {
        if (parser_->head().status == 101 || ++informational_ > kMaxInformational) {
          failed_ = true;
          return Malformed("unexpected informational answer");
        }
        parser_.emplace(body);
        continue;
      }
      if (taken == 0) break;
    }
    pending_.erase(0, used);
    if (parser_->is_done() && !pending_.empty()) surplus_ = true;
    if (!parser_->is_done() && pending_.size() > kMaxPending) {
      failed_ = true;
      return Malformed("a line is too long");
    }
    parser_->set_body(scratch_);
    return {};
  }

  Result<void> End() {
    if (failed_) return Malformed("it failed before");
    if (parser_->is_done()) return {};
    ErrorCode ec;
    if (!parser_->is_header_done() || !pending_.empty()) ec = http::error::partial_message;
    if (!ec) parser_->put_eof(ec);
    if (ec) {
      failed_ = true;
      return Malformed("it ended early");
    }
    ended_ = true;
    return {};
  }

  bool started() const { return started_; }
  bool have_head() const { return !failed_ && parser_->is_header_done() && parser_->head().status >= 200; }
  const UpstreamHead& head() const { return parser_->head(); }
  bool done() const { return !failed_ && parser_->is_done(); }
  bool reusable() const { return done() && !ended_ && !surplus_ && parser_->keep_alive(); }

 private:
  static constexpr int kMaxInformational = 8;

  std::string scratch_;
  std::optional<Parser> parser_;
  std::string pending_;
  int informational_ = 0;
  bool started_ = false;
  bool failed_ = false;
  bool surplus_ = false;
  bool ended_ = false;
};

UpstreamParser::UpstreamParser() : impl_(std::make_unique<Impl>()) {}
UpstreamParser::~UpstreamParser() = default;
Result<void> UpstreamParser::Push(std::string_view bytes, std::string& body) { return impl_->Push(bytes, body); }
Result<void> UpstreamParser::End() { return impl_->End(); }
bool UpstreamParser::started() const { return impl_->started(); }
bool UpstreamParser::have_head() const { return impl_->have_head(); }
const UpstreamHead& UpstreamParser::head() const { return impl_->head(); }
bool UpstreamParser::done() const { return impl_->done(); }
bool UpstreamParser::reusable() const { return impl_->reusable(); }

}  // namespace nd::keeper
