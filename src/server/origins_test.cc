#include "server/origins.h"

#include <gtest/gtest.h>

namespace nd::server {
namespace {

Origins Deck() { return Origins({{"https://deck.example", "http://lan.example:8080"}, {"127.0.0.1", "localhost", "[::1]"}, {"https://partner.example"}, 3001, false}); }

http::Request With(std::initializer_list<std::pair<http::Known, std::string_view>> fields) {
  http::Request request;
  request.method = http::Method::kGet;
  for (const auto& [name, value] : fields) request.known[static_cast<std::size_t>(name)] = value;
  return request;
}

TEST(Origins, KnowsItsHostsExactly) {
  const Origins origins = Deck();
  for (const char* good : {"127.0.0.1:3001", "LOCALHOST:3001", "[::1]:3001", "deck.example", "deck.example:443", "lan.example:8080"}) {
    EXPECT_TRUE(origins.IsOurHost(good)) << good;
  }
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:3002", "evil.example", "deck.example.evil.example", "xdeck.example", "deck.example:80", "lan.example"}) {
    EXPECT_FALSE(origins.IsOurHost(bad)) << bad;
  }
}

TEST(Origins, ComparesOriginsWhole) {
  const Origins origins = Deck();
  for (const char* good : {"http://127.0.0.1:3001", "https://deck.example", "http://lan.example:8080"}) EXPECT_TRUE(origins.IsOurOrigin(good)) << good;
  for (const char* bad : {"null", "https://127.0.0.1:3001", "http://deck.example", "https://deck.example.evil", "https://evil/https://deck.example", "https://deck.example/"}) {
    EXPECT_FALSE(origins.IsOurOrigin(bad)) << bad;
  }
}

TEST(Origins, ConfigurationAcceptsOnlyOrigins) {
  EXPECT_TRUE(Origins::Check("https://deck.example").ok());
  EXPECT_TRUE(Origins::Check("http://10.0.0.5:8080").ok());
  for (const char* bad : {"deck.example", "https://", "https://deck.example/", "https://u@deck.example", "ftp://x", "https://Deck.example", "*"}) {
    EXPECT_FALSE(Origins::Check(bad).ok()) << bad;
  }
}

TEST(JudgeSource, ProgramsWithoutBrowserHeadersAreOurs) {
  EXPECT_EQ(JudgeSource(Deck(), With({}), Target::kApi), RequestSource::kOurs);
}

TEST(JudgeSource, ForeignOriginAndCrossSiteAreForeign) {
  using http::Known;
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kOrigin, "https://evil.example"}}), Target::kApi), RequestSource::kForeign);
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kOrigin, "null"}}), Target::kApi), RequestSource::kForeign);
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kSecFetchSite, "cross-site"}}), Target::kApi), RequestSource::kForeign);
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kSecFetchSite, "same-site"}}), Target::kApi), RequestSource::kForeign);
  // no-cors says nothing about the site.
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kSecFetchSite, "none"}, {Known::kSecFetchMode, "no-cors"}}), Target::kApi), RequestSource::kForeign);
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kOrigin, "https://deck.example"}, {Known::kSecFetchSite, "same-origin"}}), Target::kApi), RequestSource::kOurs);
  EXPECT_EQ(JudgeSource(Deck(), With({{Known::kOrigin, "https://partner.example"}, {Known::kSecFetchSite, "cross-site"}}), Target::kApi), RequestSource::kCors);
}

TEST(JudgeSource, ALinkElsewhereMayLeadToAPageButNotToTheApi) {
  using http::Known;
  const auto navigation = With({{Known::kSecFetchSite, "cross-site"}, {Known::kSecFetchMode, "navigate"}});
  EXPECT_EQ(JudgeSource(Deck(), navigation, Target::kPage), RequestSource::kOurs);
  EXPECT_EQ(JudgeSource(Deck(), navigation, Target::kApi), RequestSource::kForeign);
}

}  // namespace
}  // namespace nd::server
