// JSON from outside, read strictly (RFC 8259), and JSON of ours, written directly.
//
// Reading is pure and bounded: depth, number of values, valid UTF-8, no duplicate member names, nothing after the value.
// Memory that held parsed text is wiped when the document dies, since bodies carry passwords and keys.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nd {

struct JsonLimits {
  std::size_t max_depth = 32;       // nested arrays and objects
  std::size_t max_values = 10'000;  // values in the whole document
};

// A parsed document that wipes its memory.
class JsonDocument {
 public:
  const boost::json::value& root() const { return *root_; }
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

 private:
  friend Result<JsonDocument> ParseJson(std::string_view text, const JsonLimits& limits);
  explicit JsonDocument(std::unique_ptr<boost::json::value> root);
  std::unique_ptr<boost::json::value> root_;
};

// kInvalidInput with a public text that names the rule and the offset, never the input.
Result<JsonDocument> ParseJson(std::string_view text, const JsonLimits& limits = {});

// Reads the members of one object strictly: each Get... takes a member, Finish() refuses what was not taken. The first
// failure is kept and returned by Finish(); values read after it are empty. Not thread-safe.
//
//   ObjectReader reader(document.root());
//   const auto user = reader.String("userId", 1, 64);
//   const auto otp = reader.OptionalString("otp", 6, 32);
//   ND_TRY(reader.Finish());
class ObjectReader {
 public:
  // `path` stands before member names in messages, e.g. "config.".
  explicit ObjectReader(const boost::json::value& value, std::string_view path = {});

  // Sizes are in bytes of UTF-8.
  std::string_view String(std::string_view name, std::size_t min_size, std::size_t max_size);
  std::optional<std::string_view> OptionalString(std::string_view name, std::size_t min_size, std::size_t max_size);
  // One of the words given.
  std::string_view Word(std::string_view name, std::initializer_list<std::string_view> words);
  std::optional<std::string_view> OptionalWord(std::string_view name, std::initializer_list<std::string_view> words);
  std::int64_t Integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> OptionalInteger(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<bool> OptionalBool(std::string_view name);
  // Any JSON number; null if absent.
  const boost::json::value* OptionalNumber(std::string_view name);
  const boost::json::value* OptionalObject(std::string_view name);
  const boost::json::array* Array(std::string_view name, std::size_t min_size, std::size_t max_size);
  std::vector<std::string> StringArray(std::string_view name, std::size_t min_items, std::size_t max_items,
                                       std::size_t max_size);

  // Fails with `text` unless something failed before.
  void Fail(std::string text);
  // kInvalidInput for the first thing that was wrong, or for a member that nobody asked for.
  Result<void> Finish();

 private:
  const boost::json::value* Find(std::string_view name);
  const boost::json::value* Require(std::string_view name);
  std::optional<std::string_view> CheckString(const boost::json::value* value, std::string_view name, std::size_t min,
                                              std::size_t max);

  const boost::json::object* object_ = nullptr;
  std::string path_;
  std::vector<std::string_view> taken_;
  std::optional<std::string> failure_;
};

// Appends JSON to a string, in the order written, with every control character, DEL and U+2028/2029 escaped and invalid
// UTF-8 replaced by U+FFFD, so that no text can break or forge a line. Commas are placed by the writer.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view name);  // a name of ours: written as it is
  JsonWriter& String(std::string_view text);
  JsonWriter& Integer(std::int64_t number);
  JsonWriter& Unsigned(std::uint64_t number);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // Text that is JSON already.
  JsonWriter& Raw(std::string_view json);

  JsonWriter& Member(std::string_view name, std::string_view text) { return Key(name).String(text); }
  JsonWriter& Member(std::string_view name, const char* text) { return Key(name).String(text); }
  JsonWriter& Member(std::string_view name, std::int64_t number) { return Key(name).Integer(number); }
  JsonWriter& MemberBool(std::string_view name, bool value) { return Key(name).Bool(value); }
  JsonWriter& MemberOrNull(std::string_view name, const std::optional<std::string>& text);

 private:
  void Separate();
  std::string& out_;
  bool need_comma_ = false;
};

void AppendJsonString(std::string& out, std::string_view text);

}  // namespace nd
