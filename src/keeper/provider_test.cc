#include "keeper/provider.h"

#include <gtest/gtest.h>

#include "keeper/upstream_connection.h"

namespace nd::keeper {
namespace {

std::string TargetOf(std::string_view text, Endpoint endpoint) {
  const auto provider = ProviderConfig::Parse(text);
  if (!provider.ok()) return provider.error().public_text;
  const auto target = provider->Target(endpoint);
  return target.ok() ? provider->Authority() + *target : "refused";
}

TEST(Provider, GetsTheVersionPathOnlyWhereItIsMissing) {
  EXPECT_EQ(TargetOf("openai=https://api.openai.com", Endpoint::kChatCompletions),
            "api.openai.com/v1/chat/completions");
  EXPECT_EQ(TargetOf("openai=https://api.openai.com/", Endpoint::kEmbeddings), "api.openai.com/v1/embeddings");
  EXPECT_EQ(TargetOf("openai=https://api.openai.com/v1/", Endpoint::kModels), "api.openai.com/v1/models");
  EXPECT_EQ(TargetOf("groq=https://api.groq.com/openai/v1", Endpoint::kModels), "api.groq.com/openai/v1/models");
  EXPECT_EQ(TargetOf("x=https://host/base", Endpoint::kChatCompletions), "host/base/chat/completions");
  EXPECT_EQ(TargetOf("anthropic=https://api.anthropic.com", Endpoint::kMessages), "api.anthropic.com/v1/messages");
  EXPECT_EQ(TargetOf("anthropic=https://api.anthropic.com/v1", Endpoint::kMessages), "api.anthropic.com/v1/messages");
  EXPECT_EQ(TargetOf("a=anthropic:https://host/proxy", Endpoint::kModels), "host/proxy/v1/models");
}

TEST(Provider, SpeaksTheProtocolOfItsNameOrPrefix) {
  EXPECT_EQ(ProviderConfig::Parse("anthropic=https://h")->protocol, Protocol::kAnthropic);
  EXPECT_EQ(ProviderConfig::Parse("anthropic=openai:https://h")->protocol, Protocol::kOpenAi);
  EXPECT_EQ(ProviderConfig::Parse("mine=https://h")->protocol, Protocol::kOpenAi);
  EXPECT_EQ(ProviderConfig::Parse("mine=anthropic:https://h")->protocol, Protocol::kAnthropic);
}

TEST(Provider, HasNoEndpointsOfTheOtherProtocol) {
  EXPECT_EQ(TargetOf("o=https://h", Endpoint::kMessages), "refused");
  EXPECT_EQ(TargetOf("anthropic=https://h", Endpoint::kChatCompletions), "refused");
  EXPECT_EQ(TargetOf("anthropic=https://h", Endpoint::kEmbeddings), "refused");
}

TEST(Provider, MaySpeakInClearTextToLoopbackOnly) {
  for (const std::string_view good : {"l=http://127.0.0.1:11434/v1", "l=http://localhost", "l=http://LOCALHOST:1/v1",
                                      "l=http://[::1]:8080", "l=http://127.9.9.9"}) {
    EXPECT_TRUE(ProviderConfig::Parse(good).ok()) << good;
  }
  for (const std::string_view bad : {"l=http://api.openai.com", "l=http://10.0.0.1", "l=http://localhost.example",
                                     "l=http://[::ffff:8.8.8.8]", "l=http://127.1"}) {
    const auto provider = ProviderConfig::Parse(bad);
    ASSERT_FALSE(provider.ok()) << bad;
    EXPECT_EQ(provider.error().kind, ErrorKind::kForbidden) << bad;
    EXPECT_EQ(provider.error().code, "unsafe") << bad;
  }
}

TEST(Provider, IsRefusedWhenItsUrlHoldsMoreThanAPlaceToCall) {
  for (const std::string_view bad : {"",
                                     "openai",
                                     "=https://h",
                                     "openai=",
                                     "openai=h",
                                     "openai=/v1",
                                     "openai=ftp://h",
                                     "openai=file:///etc/passwd",
                                     "openai=https://user@h",
                                     "openai=https://user:secret@h",
                                     "openai=https://h?x=1",
                                     "openai=https://h#f",
                                     "openai=https://h:0",
                                     "openai=https://h:65536",
                                     "openai=https://h:",
                                     "openai=https://",
                                     "openai=https:///v1",
                                     "openai=https://h/a/../b",
                                     "openai=https://h/./b",
                                     "openai=https://h//b",
                                     "openai=https://h/%2e%2e/b",
                                     "openai=https://h/a b",
                                     "openai=https://h\r\nX: y",
                                     "openai=https://h.",
                                     "openai=https://.h",
                                     "openai=https://a..b",
                                     "openai=https://h%41",
                                     "OpenAI=https://h",
                                     "-x=https://h",
                                     "a/b=https://h",
                                     "openai=openai:anthropic:https://h",
                                     "l=http://127.0.0.1.example",
                                     "l=http://127.0.0.1a/",
                                     "l=https://1.2.3.4.5:80/v1",
                                     "openai=https://[fe80::1%25eth0]",
                                     "openai=https://[v1.x]"}) {
    const auto provider = ProviderConfig::Parse(bad);
    ASSERT_FALSE(provider.ok()) << bad;
    EXPECT_EQ(provider.error().kind, ErrorKind::kInvalidInput) << bad;
  }
}

TEST(Provider, HasANameOfOneToThirtyTwoCharacters) {
  EXPECT_TRUE(ProviderConfig::Parse(std::string(32, 'n') + "=https://h").ok());
  EXPECT_FALSE(ProviderConfig::Parse(std::string(33, 'n') + "=https://h").ok());
}

TEST(Provider, NamesItsPortOnlyWhenUnusual) {
  EXPECT_EQ(ProviderConfig::Parse("o=https://h:443")->Authority(), "h");
  EXPECT_EQ(ProviderConfig::Parse("o=https://h:8443")->Authority(), "h:8443");
  EXPECT_EQ(ProviderConfig::Parse("o=http://[::1]:80")->Authority(), "[::1]");
  EXPECT_EQ(ProviderConfig::Parse("o=http://[::1]:81")->Authority(), "[::1]:81");
}

TEST(Provider, MayBeReachedOnlyWhereItWasConfiguredToBe) {
  const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
  const auto named = *ProviderConfig::Parse("o=https://api.openai.com");
  EXPECT_TRUE(MayReach(named, address("8.8.8.8")));
  for (const char* inside :
       {"127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0"}) {
    EXPECT_FALSE(MayReach(named, address(inside))) << inside;
  }
  const auto literal = *ProviderConfig::Parse("o=https://10.1.2.3");
  EXPECT_TRUE(MayReach(literal, address("10.1.2.3")));
  EXPECT_TRUE(MayReach(literal, address("::ffff:10.1.2.3")));
  EXPECT_FALSE(MayReach(literal, address("10.1.2.4")));
  const auto local = *ProviderConfig::Parse("o=https://localhost");
  EXPECT_TRUE(MayReach(local, address("::1")));
  EXPECT_FALSE(MayReach(local, address("10.1.2.3")));
  EXPECT_FALSE(MayReach(local, address("8.8.8.8")));
}

std::string HeadOf(std::string_view provider, Endpoint endpoint,
                   const std::vector<std::pair<std::string, std::string>>& passed) {
  const auto config = *ProviderConfig::Parse(provider);
  return std::string(
      ipc::View(BuildRequestHead(config, endpoint, *config.Target(endpoint), Secret("sk-12345678"), passed, 17)));
}

TEST(RequestHead, IsOursAlone) {
  EXPECT_EQ(
      HeadOf("o=https://h", Endpoint::kChatCompletions,
             {{"Cookie", "a=b"}, {"Authorization", "Bearer theirs"}, {"anthropic-version", "2023-06-01"}}),
      "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nUser-Agent: neuraldeck\r\nAuthorization: Bearer sk-12345678\r\n"
      "Accept: application/json\r\nAccept-Encoding: identity\r\nContent-Type: application/json\r\n"
      "Content-Length: 17\r\n\r\n");
  EXPECT_EQ(HeadOf("o=https://h", Endpoint::kModels, {}),
            "GET /v1/models HTTP/1.1\r\nHost: h\r\nUser-Agent: neuraldeck\r\nAuthorization: Bearer sk-12345678\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\n\r\n");
}

TEST(RequestHead, TakesAnthropicHeadersOnlyWellFormed) {
  const std::string good = HeadOf(
      "anthropic=https://h", Endpoint::kMessages,
      {{"Anthropic-Version", "2024-01-01"}, {"anthropic-beta", "tools-1, files-2"}, {"accept", "text/event-stream"}});
  EXPECT_NE(good.find("x-api-key: sk-12345678\r\nanthropic-version: 2024-01-01\r\nanthropic-beta: tools-1, files-2\r\n"
                      "Accept: text/event-stream, application/json\r\n"),
            std::string::npos)
      << good;
  EXPECT_EQ(good.find("Authorization"), std::string::npos);
  const std::string bad = HeadOf("anthropic=https://h", Endpoint::kMessages,
                                 {{"anthropic-version", "1\r\nX: y"}, {"anthropic-beta", "a\r\nHost: evil"}});
  EXPECT_NE(bad.find("anthropic-version: 2023-06-01\r\n"), std::string::npos);
  EXPECT_EQ(bad.find("evil"), std::string::npos);
}

}  // namespace
}  // namespace nd::keeper
