// POST /api/chat, the console's own shape: messages in, an OpenAI chat completion out, whatever the provider speaks.
//
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nd::server {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

struct ChatRequest {
  std::vector<ChatMessage> messages;  // 1 to 1,000
  std::string provider;               // empty: the default
  std::string model;                  // empty: the protocol's default
  std::optional<double> temperature;  // 0 to 2
};

// Strict: members this route does not know are refused; "apiKey" and "baseUrl" with a word of explanation.
Result<ChatRequest> ReadChatRequest(std::string_view body);

std::string OpenAiBody(const ChatRequest& chat, std::string_view model);
// System messages move to "system"; max_tokens is required there and set to kAnthropicMaxTokens.
std::string AnthropicBody(const ChatRequest& chat, std::string_view model);
inline constexpr int kAnthropicMaxTokens = 4096;

// An OpenAI chat completion made of an Anthropic message. kUnavailable if the answer is not one.
Result<std::string> CompletionFromAnthropic(std::string_view answer, WallTime now);

}  // namespace nd::server
