#include "server/chat.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace nd::server {
namespace {

TEST(ReadChatRequest, ReadsTheWholeShape) {
  const auto chat = ReadChatRequest(
      R"({"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}],"config":{"provider":"p","model":"m","temperature":0.5}})");
  ASSERT_TRUE(chat.ok());
  EXPECT_EQ(chat->messages.size(), 2u);
  EXPECT_EQ(chat->provider, "p");
  EXPECT_EQ(chat->temperature, 0.5);
}

TEST(ReadChatRequest, RefusesKeysAndAddressesWithAnExplanation) {
  for (const char* body : {R"({"messages":[{"role":"user","content":"x"}],"apiKey":"k"})",
                           R"({"messages":[{"role":"user","content":"x"}],"config":{"baseUrl":"http://x"}})",
                           R"({"messages":[{"role":"user","content":"x"}],"config":{"apiKey":"k"}})"}) {
    const auto chat = ReadChatRequest(body);
    ASSERT_FALSE(chat.ok()) << body;
    EXPECT_NE(chat.error().public_text.find("never part of a request"), std::string::npos);
  }
}

TEST(ReadChatRequest, RefusesStrangeMembersRolesAndTemperatures) {
  for (const char* body : {R"({"messages":[]})", R"({"messages":[{"role":"root","content":"x"}]})",
                           R"({"messages":[{"role":"user","content":"x","name":"y"}]})",
                           R"({"messages":[{"role":"user","content":"x"}],"config":{"temperature":2.01}})",
                           R"({"messages":[{"role":"user","content":"x"}],"config":{"temperature":-0.01}})",
                           R"({"messages":[{"role":"user","content":"x"}],"config":{"temperature":"hot"}})",
                           R"({"messages":[{"role":"user","content":"x"}],"stream":true})", "[]", "7"}) {
    EXPECT_FALSE(ReadChatRequest(body).ok()) << body;
  }
  EXPECT_TRUE(ReadChatRequest(R"({"messages":[{"role":"user","content":"x"}],"config":{"temperature":2}})").ok());
}

TEST(AnthropicBody, MovesSystemMessagesAndCapsTheTemperature) {
  ChatRequest chat;
  chat.messages = {{"system", "a"}, {"user", "u"}, {"system", "b"}};
  chat.temperature = 1.5;
  EXPECT_EQ(AnthropicBody(chat, "m"),
            R"({"model":"m","max_tokens":4096,"system":"a\n\nb","messages":[{"role":"user","content":"u"}],"temperature":1})");
}

TEST(CompletionFromAnthropic, MakesAChatCompletion) {
  const auto completion = CompletionFromAnthropic(
      R"({"id":"msg_1","model":"m","content":[{"type":"text","text":"he"},{"type":"tool_use"},{"type":"text","text":"llo"}],"stop_reason":"max_tokens","usage":{"input_tokens":3,"output_tokens":4}})",
      WallTime(std::chrono::seconds(1'800'000'000)));
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(*completion,
            R"({"id":"msg_1","object":"chat.completion","created":1800000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})");
  EXPECT_FALSE(CompletionFromAnthropic("<html>", WallTime()).ok());
  EXPECT_FALSE(CompletionFromAnthropic("{}", WallTime()).ok());
}

}  // namespace
}  // namespace nd::server
