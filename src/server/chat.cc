#include "server/chat.h"

#include <fmt/format.h>

#include "base/json.h"

namespace nd::server {

namespace json = boost::json;

namespace {
constexpr std::size_t kMaxMessages = 1'000;
constexpr std::size_t kMaxContent = 4 * 1024 * 1024;

Result<void> RefuseSmuggledTarget(const json::object& object) {
  for (const std::string_view name : {"apiKey", "baseUrl", "baseURL", "api_key", "base_url"}) {
    if (object.contains(name)) {
      return InvalidInput("Keys and provider addresses are never part of a request: the administrator stores the key and names "
                          "the provider in the deck's configuration.");
    }
  }
  return {};
}

void WriteMessages(JsonWriter& json, const ChatRequest& chat, bool with_system) {
  json.Key("messages").BeginArray();
  for (const ChatMessage& message : chat.messages) {
    if (!with_system && message.role == "system") continue;
    json.BeginObject().Member("role", message.role).Member("content", message.content).EndObject();
  }
  json.EndArray();
}

void WriteTemperature(JsonWriter& json, const ChatRequest& chat) {
  if (chat.temperature) json.Key("temperature").Raw(fmt::format("{}", *chat.temperature));
}

std::string_view FinishReason(std::string_view stop_reason) {
  if (stop_reason == "max_tokens") return "length";
  if (stop_reason == "tool_use") return "tool_calls";
  return "stop";
}

std::string_view StringOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::int64_t NumberOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
}  // namespace

Result<ChatRequest> ReadChatRequest(std::string_view body) {
  ND_ASSIGN(const JsonDocument document, ParseJson(body, {32, 20'000}));
  const json::object* root = document.root().if_object();
  if (root != nullptr) ND_TRY(RefuseSmuggledTarget(*root));

  ChatRequest chat;
  ObjectReader reader(document.root());
  const json::array* messages = reader.Array("messages", 1, kMaxMessages);
  const json::value* config = reader.OptionalObject("config");
  ND_TRY(reader.Finish());
  for (const json::value& item : *messages) {
    ObjectReader message(item, "messages[].");
    ChatMessage read;
    read.role = message.Word("role", {"system", "user", "assistant"});
    read.content = message.String("content", 0, kMaxContent);
    ND_TRY(message.Finish());
    chat.messages.push_back(std::move(read));
  }
  if (config == nullptr) return chat;

  ND_TRY(RefuseSmuggledTarget(config->get_object()));
  ObjectReader options(*config, "config.");
  chat.provider = options.OptionalString("provider", 1, 32).value_or("");
  chat.model = options.OptionalString("model", 1, 256).value_or("");
  if (const json::value* value = options.OptionalNumber("temperature"); value != nullptr) {
    const double number = value->to_number<double>();
    if (!(number >= 0.0 && number <= 2.0)) options.Fail("\"config.temperature\" must be from 0 to 2.");
    chat.temperature = number;
  }
  ND_TRY(options.Finish());
  return chat;
}

std::string OpenAiBody(const ChatRequest& chat, std::string_view model) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Member("model", model);
  WriteMessages(json, chat, true);
  WriteTemperature(json, chat);
  json.EndObject();
  return body;
}

std::string AnthropicBody(const ChatRequest& chat, std::string_view model) {
  std::string system;
  for (const ChatMessage& message : chat.messages) {
    if (message.role != "system") continue;
    if (!system.empty()) system += "\n\n";
    system += message.content;
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Member("model", model).Member("max_tokens", std::int64_t{kAnthropicMaxTokens});
  if (!system.empty()) json.Member("system", system);
  WriteMessages(json, chat, false);
  // Anthropic's scale ends at 1.
  if (chat.temperature) json.Key("temperature").Raw(fmt::format("{}", std::min(*chat.temperature, 1.0)));
  json.EndObject();
  return body;
}

Result<std::string> CompletionFromAnthropic(std::string_view answer, WallTime now) {
  const auto bad = [] { return Unavailable("The provider's answer could not be read; try again or ask the administrator."); };
  const auto document = ParseJson(answer, {64, 500'000});
  if (!document.ok() || !document->root().is_object()) return bad();
  const json::object& message = document->root().get_object();
  const json::value* content = message.if_contains("content");
  if (content == nullptr || !content->is_array()) return bad();
  std::string text;
  for (const json::value& block : content->get_array()) {
    if (block.is_object() && StringOf(block.get_object(), "type") == "text") text += StringOf(block.get_object(), "text");
  }
  std::int64_t prompt = 0;
  std::int64_t completion = 0;
  if (const json::value* usage = message.if_contains("usage"); usage != nullptr && usage->is_object()) {
    prompt = NumberOf(usage->get_object(), "input_tokens");
    completion = NumberOf(usage->get_object(), "output_tokens");
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject()
      .Member("id", StringOf(message, "id"))
      .Member("object", "chat.completion")
      .Member("created", UnixSeconds(now))
      .Member("model", StringOf(message, "model"))
      .Key("choices").BeginArray().BeginObject()
      .Member("index", std::int64_t{0})
      .Key("message").BeginObject().Member("role", "assistant").Member("content", text).EndObject()
      .Member("finish_reason", FinishReason(StringOf(message, "stop_reason")))
      .EndObject().EndArray()
      .Key("usage").BeginObject()
      .Member("prompt_tokens", prompt)
      .Member("completion_tokens", completion)
      .Member("total_tokens", prompt + completion)
      .EndObject()
      .EndObject();
  return body;
}

}  // namespace nd::server
