#include "base/json.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/memory_resource.hpp>
#include <boost/json/value_stack.hpp>
#include <algorithm>
#include <unordered_set>

#include "base/secret.h"
#include "base/text.h"

namespace nd {

namespace json = boost::json;

namespace {

// Wipes every block it takes back. Boost takes a key's block with one alignment and gives it back with another, so the
// default alignment, which is enough for every JSON value, is used throughout.
class WipingResource final : public json::memory_resource {
  static_assert(alignof(json::value) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  void* do_allocate(std::size_t bytes, std::size_t /*align*/) override { return ::operator new(bytes); }
  void do_deallocate(void* block, std::size_t bytes, std::size_t /*align*/) override {
    WipeMemory(block, bytes);
    ::operator delete(block);
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

WipingResource& Wiping() {
  static WipingResource resource;
  return resource;
}

json::error_code Code(json::error code) { return json::make_error_code(code); }

// Builds the value and holds it against the limits on the way.
struct Handler {
  static constexpr std::size_t max_object_size = 10'000;
  static constexpr std::size_t max_array_size = 100'000;
  static constexpr std::size_t max_key_size = 1024;
  static constexpr std::size_t max_string_size = json::string::max_size();

  explicit Handler(std::size_t max_values) : stack(&Wiping()), values_left(max_values) { stack.reset(&Wiping()); }

  bool Count(json::error_code& ec) {
    if (values_left == 0) {
      too_many = true;
      ec = Code(json::error::array_too_large);
      return false;
    }
    --values_left;
    return true;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, json::error_code& ec) {
    objects.pop_back();
    stack.push_object(n);
    return Count(ec);
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code& ec) {
    stack.push_array(n);
    return Count(ec);
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key.append(part.data(), part.size());
    stack.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    key.append(part.data(), part.size());
    if (!objects.back().insert(key).second) {
      duplicate = true;
      ec = Code(json::error::syntax);
      return false;
    }
    key.clear();
    stack.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    stack.push_string(part);
    return Count(ec);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
    stack.push_int64(value);
    return Count(ec);
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& ec) {
    stack.push_uint64(value);
    return Count(ec);
  }
  bool on_double(double value, json::string_view, json::error_code& ec) {
    stack.push_double(value);
    return Count(ec);
  }
  bool on_bool(bool value, json::error_code& ec) {
    stack.push_bool(value);
    return Count(ec);
  }
  bool on_null(json::error_code& ec) {
    stack.push_null();
    return Count(ec);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  json::value_stack stack;
  std::size_t values_left;
  std::vector<std::unordered_set<std::string>> objects;  // member names seen, innermost last
  std::string key;
  bool duplicate = false;
  bool too_many = false;
};

Error Refusal(std::string_view rule, std::size_t offset) {
  return InvalidInput(fmt::format("The JSON body is not acceptable: {} (at byte {}).", rule, offset));
}

}  // namespace

JsonDocument::JsonDocument(std::unique_ptr<json::value> root) : root_(std::move(root)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> ParseJson(std::string_view text, const JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<Handler> parser(options, limits.max_values);
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) {
    if (parser.handler().duplicate) return Refusal("a member name occurs twice in one object", used);
    if (parser.handler().too_many) return Refusal("it holds too many values", used);
    if (ec == json::error::too_deep) return Refusal("it is nested too deeply", used);
    if (ec == json::error::incomplete) return Refusal("it ends too early", used);
    if (ec == json::error::illegal_leading_surrogate || ec == json::error::illegal_trailing_surrogate) {
      return Refusal("a string is not valid Unicode", used);
    }
    return Refusal("it breaks the syntax of RFC 8259 or is not UTF-8", used);
  }
  const std::string_view rest = text.substr(used);
  if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) return Refusal("something follows the value", used);
  return JsonDocument(std::make_unique<json::value>(parser.handler().stack.release()));
}

ObjectReader::ObjectReader(const json::value& value, std::string_view path)
    : object_(value.if_object()), path_(path) {
  if (object_ == nullptr) {
    Fail(path.empty() ? "The body must be a JSON object." : fmt::format("\"{}\" must be an object.", path_.substr(0, path_.size() - 1)));
  }
}

const json::value* ObjectReader::Find(std::string_view name) {
  if (object_ == nullptr) return nullptr;
  taken_.push_back(name);
  return object_->if_contains(name);
}

const json::value* ObjectReader::Require(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) Fail(fmt::format("\"{}{}\" is missing.", path_, name));
  return value;
}

std::optional<std::string_view> ObjectReader::CheckString(const json::value* value, std::string_view name,
                                                          std::size_t min, std::size_t max) {
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text == nullptr) {
    Fail(fmt::format("\"{}{}\" must be a string.", path_, name));
    return std::nullopt;
  }
  if (text->size() < min || text->size() > max) {
    Fail(fmt::format("\"{}{}\" must have {} to {} bytes.", path_, name, min, max));
    return std::nullopt;
  }
  return std::string_view(text->data(), text->size());
}

std::string_view ObjectReader::String(std::string_view name, std::size_t min, std::size_t max) {
  return CheckString(Require(name), name, min, max).value_or(std::string_view());
}

std::optional<std::string_view> ObjectReader::OptionalString(std::string_view name, std::size_t min, std::size_t max) {
  return CheckString(Find(name), name, min, max);
}

std::string_view ObjectReader::Word(std::string_view name, std::initializer_list<std::string_view> words) {
  if (object_ != nullptr && !object_->contains(name)) {
    Require(name);
    return {};
  }
  return OptionalWord(name, words).value_or(std::string_view());
}

std::optional<std::string_view> ObjectReader::OptionalWord(std::string_view name,
                                                           std::initializer_list<std::string_view> words) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text != nullptr) {
    for (const std::string_view word : words) {
      if (std::string_view(text->data(), text->size()) == word) return word;
    }
  }
  Fail(fmt::format("\"{}{}\" must be one of: {}.", path_, name, fmt::join(words, ", ")));
  return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::OptionalInteger(std::string_view name, std::int64_t min, std::int64_t max) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const std::int64_t* number = value->if_int64();
  if (number == nullptr || *number < min || *number > max) {
    Fail(fmt::format("\"{}{}\" must be a whole number from {} to {}.", path_, name, min, max));
    return std::nullopt;
  }
  return *number;
}

std::int64_t ObjectReader::Integer(std::string_view name, std::int64_t min, std::int64_t max) {
  if (object_ != nullptr && !object_->contains(name)) {
    Require(name);
    return min;
  }
  return OptionalInteger(name, min, max).value_or(min);
}

std::optional<bool> ObjectReader::OptionalBool(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    Fail(fmt::format("\"{}{}\" must be true or false.", path_, name));
    return std::nullopt;
  }
  return value->get_bool();
}

const json::value* ObjectReader::OptionalNumber(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_number()) {
    Fail(fmt::format("\"{}{}\" must be a number.", path_, name));
    return nullptr;
  }
  return value;
}

const json::value* ObjectReader::OptionalObject(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    Fail(fmt::format("\"{}{}\" must be an object.", path_, name));
    return nullptr;
  }
  return value;
}

const json::array* ObjectReader::Array(std::string_view name, std::size_t min, std::size_t max) {
  const json::value* value = Require(name);
  if (value == nullptr) return nullptr;
  const json::array* items = value->if_array();
  if (items == nullptr || items->size() < min || items->size() > max) {
    Fail(fmt::format("\"{}{}\" must be an array of {} to {} items.", path_, name, min, max));
    return nullptr;
  }
  return items;
}

std::vector<std::string> ObjectReader::StringArray(std::string_view name, std::size_t min_items, std::size_t max_items,
                                                   std::size_t max_size) {
  std::vector<std::string> texts;
  const json::array* items = Array(name, min_items, max_items);
  if (items == nullptr) return texts;
  for (const json::value& item : *items) {
    const json::string* text = item.if_string();
    if (text == nullptr || text->empty() || text->size() > max_size) {
      Fail(fmt::format("\"{}{}\" must hold strings of 1 to {} bytes.", path_, name, max_size));
      return {};
    }
    texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

void ObjectReader::Fail(std::string text) {
  if (!failure_) failure_ = std::move(text);
}

Result<void> ObjectReader::Finish() {
  if (!failure_ && object_ != nullptr) {
    for (const auto& member : *object_) {
      const std::string_view name(member.key().data(), member.key().size());
      if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
        Fail(path_.empty() ? "The body has a member that this route does not know."
                           : fmt::format("\"{}\" has a member that this route does not know.", path_.substr(0, path_.size() - 1)));
        break;
      }
    }
  }
  if (failure_) return InvalidInput(*failure_);
  return {};
}

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  const auto flush = [&](std::size_t end) { out.append(text.substr(plain, end - plain)); };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      const std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      const std::string_view sequence = text.substr(i, length);
      if (sequence.size() == length && IsValidUtf8(sequence)) {
        const bool line_separator = sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9";
        if (line_separator) {
          flush(i);
          out.append(sequence[2] == '\xa8' ? "\\u2028" : "\\u2029");
          plain = i + length;
        }
        i += length;
        continue;
      }
      flush(i);
      out.append("\\ufffd");
      plain = ++i;
      continue;
    }
    flush(i);
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
    plain = ++i;
  }
  flush(text.size());
  out.push_back('"');
}

void JsonWriter::Separate() {
  if (need_comma_) out_.push_back(',');
  need_comma_ = true;
}

JsonWriter& JsonWriter::BeginObject() {
  Separate();
  out_.push_back('{');
  need_comma_ = false;
  return *this;
}
JsonWriter& JsonWriter::EndObject() {
  out_.push_back('}');
  need_comma_ = true;
  return *this;
}
JsonWriter& JsonWriter::BeginArray() {
  Separate();
  out_.push_back('[');
  need_comma_ = false;
  return *this;
}
JsonWriter& JsonWriter::EndArray() {
  out_.push_back(']');
  need_comma_ = true;
  return *this;
}
JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  out_.push_back('"');
  out_.append(name);
  out_.append("\":");
  need_comma_ = false;
  return *this;
}
JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(out_, text);
  return *this;
}
JsonWriter& JsonWriter::Integer(std::int64_t number) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}
JsonWriter& JsonWriter::Unsigned(std::uint64_t number) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}
JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_.append(value ? "true" : "false");
  return *this;
}
JsonWriter& JsonWriter::Null() {
  Separate();
  out_.append("null");
  return *this;
}
JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.append(json);
  return *this;
}
JsonWriter& JsonWriter::MemberOrNull(std::string_view name, const std::optional<std::string>& text) {
  Key(name);
  return text ? String(*text) : Null();
}

}  // namespace nd
