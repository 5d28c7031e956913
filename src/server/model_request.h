// What a model request says of itself, found without changing a byte that is not ours to change: unknown members pass
// through to the provider exactly as they came.
//
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace nd::server {

struct ModelRequest {
  std::string model;   // as sent
  bool stream = false;
  // The span of the "model" member's value in the body, quotes included.
  std::size_t model_begin = 0, model_end = 0;
};

// kInvalidInput unless `body` is one JSON object (depth at most 64) with a string "model" of 1 to 256 bytes and, if present,
// a boolean "stream".
Result<ModelRequest> ReadModelRequest(std::string_view body);

// The body with another model name in the same place.
std::string WithModel(std::string_view body, const ModelRequest& request, std::string_view model);

// Token counts of an answer, where the provider tells them; 0 otherwise.
struct Usage {
  std::int64_t prompt_tokens = 0, completion_tokens = 0;
};
// Takes "usage" from a complete JSON answer or one event's data, in OpenAI's or Anthropic's form; later values win.
void AddUsage(std::string_view json, Usage& usage);

// Finds usage in a stream of server-sent events without changing it. Lines longer than kMaxLine are passed over.
class StreamUsage {
 public:
  static constexpr std::size_t kMaxLine = 64 * 1024;
  void Feed(std::string_view chunk);
  const Usage& usage() const { return usage_; }

 private:
  void Line();
  std::string line_;
  bool overlong_ = false;
  Usage usage_;
};

}  // namespace nd::server
