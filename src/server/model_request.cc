#include "server/model_request.h"

#include <optional>

namespace nd::server {

namespace json = boost::json;

namespace {
constexpr JsonLimits kModelLimits{64, 500'000};

// Walks a document that ParseJson has accepted and finds the value span of a member of the root object.
class SpanFinder {
 public:
  SpanFinder(std::string_view text, std::string_view wanted) : text_(text), wanted_(wanted) {}

  std::optional<std::pair<std::size_t, std::size_t>> Find() {
    SkipSpace();
    if (Peek() != '{') return std::nullopt;
    ++at_;
    for (;;) {
      SkipSpace();
      if (Peek() != '"') return std::nullopt;
      const std::size_t key_begin = at_;
      SkipString();
      const std::string_view key = text_.substr(key_begin + 1, at_ - key_begin - 2);
      SkipSpace();
      ++at_;  // ':'
      SkipSpace();
      const std::size_t begin = at_;
      SkipValue();
      if (key == wanted_) return std::pair(begin, at_);
      SkipSpace();
      if (Peek() != ',') return std::nullopt;
      ++at_;
    }
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) ++at_;
  }
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void SkipValue() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        SkipString();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if ((c == '}' || c == ']') && depth > 0) {
        --depth;
        ++at_;
      } else if (depth == 0 && (c == ',' || c == '}' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
        return;
      } else {
        ++at_;
        continue;
      }
      if (depth == 0) return;
    }
  }

  std::string_view text_, wanted_;
  std::size_t at_ = 0;
};

std::optional<std::int64_t> Count(const json::object& usage, std::string_view name) {
  const json::value* value = usage.if_contains(name);
  const std::int64_t* number = value != nullptr ? value->if_int64() : nullptr;
  if (number == nullptr || *number < 0 || *number > 1'000'000'000) return std::nullopt;
  return *number;
}

void Take(const json::object& usage, Usage& into) {
  for (const std::string_view name : {"prompt_tokens", "input_tokens"}) {
    if (const auto count = Count(usage, name)) into.prompt_tokens = *count;
  }
  for (const std::string_view name : {"completion_tokens", "output_tokens"}) {
    if (const auto count = Count(usage, name)) into.completion_tokens = *count;
  }
}
}  // namespace

Result<ModelRequest> ReadModelRequest(std::string_view body) {
  ND_ASSIGN(const JsonDocument document, ParseJson(body, kModelLimits));
  const json::object* object = document.root().if_object();
  if (object == nullptr) return InvalidInput("The body must be a JSON object.");
  const json::value* model = object->if_contains("model");
  if (model == nullptr || !model->is_string() || model->get_string().empty() || model->get_string().size() > 256) {
    return InvalidInput("\"model\" must be a string of 1 to 256 bytes.");
  }
  ModelRequest request;
  request.model.assign(model->get_string().data(), model->get_string().size());
  if (const json::value* stream = object->if_contains("stream"); stream != nullptr && !stream->is_null()) {
    if (!stream->is_bool()) return InvalidInput("\"stream\" must be true or false.");
    request.stream = stream->get_bool();
  }
  const auto span = SpanFinder(body, "model").Find();
  // Only an escaped spelling of the name itself ("mod\u0065l") gets here; nobody sends that in good faith.
  if (!span) return InvalidInput("Write the member name \"model\" without escapes.");
  request.model_begin = span->first;
  request.model_end = span->second;
  return request;
}

std::string WithModel(std::string_view body, const ModelRequest& request, std::string_view model) {
  std::string out(body.substr(0, request.model_begin));
  AppendJsonString(out, model);
  out.append(body.substr(request.model_end));
  return out;
}

void AddUsage(std::string_view text, Usage& usage) {
  if (text.find("\"usage\"") == std::string_view::npos) return;
  const auto document = ParseJson(text, kModelLimits);
  if (!document.ok()) return;
  const json::object* root = document->root().if_object();
  if (root == nullptr) return;
  if (const json::value* value = root->if_contains("usage"); value != nullptr && value->is_object()) Take(value->get_object(), usage);
  // Anthropic's message_start carries the input tokens inside the message.
  if (const json::value* message = root->if_contains("message"); message != nullptr && message->is_object()) {
    const json::value* value = message->get_object().if_contains("usage");
    if (value != nullptr && value->is_object()) Take(value->get_object(), usage);
  }
}

void StreamUsage::Feed(std::string_view chunk) {
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n');
    const std::string_view part = chunk.substr(0, end);
    if (line_.size() + part.size() > kMaxLine) {
      overlong_ = true;
      line_.clear();
    }
    if (!overlong_) line_.append(part);
    if (end == std::string_view::npos) return;
    if (!overlong_) Line();
    line_.clear();
    overlong_ = false;
    chunk.remove_prefix(end + 1);
  }
}

void StreamUsage::Line() {
  std::string_view line = line_;
  if (!line.starts_with("data:")) return;
  AddUsage(line.substr(5), usage_);
}

}  // namespace nd::server
