#include "app/options.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/test_folder.h"

namespace nd::app {
namespace {

const Environment kHome = {{"HOME", "/home/nobody-here"}};

Result<Options> Build(GivenTexts flags, Environment environment = kHome) {
  if (!flags.contains("workspace")) flags["workspace"] = {"/srv/nd-test-workspace"};
  auto values = ResolveSettings(flags, environment);
  if (!values.ok()) return values.error();
  return BuildOptions(*values, environment);
}

ErrorKind KindOf(const GivenTexts& flags) {
  const auto built = Build(flags);
  EXPECT_FALSE(built.ok());
  return built.ok() ? ErrorKind::kInternal : built.error().kind;
}

TEST(Options, DefaultsAreTheDocumentedOnes) {
  const auto options = Build({});
  ASSERT_TRUE(options.ok()) << options.error().public_text;
  EXPECT_EQ(options->host, "127.0.0.1");
  EXPECT_EQ(options->port, 3001);
  EXPECT_EQ(options->data_dir, "/srv/nd-test-workspace/.neuraldeck");
  EXPECT_EQ(options->session_expiry, std::chrono::seconds(86'400));
  EXPECT_EQ(options->csp_mode, server::CspMode::kEnforce);
  EXPECT_EQ(options->csp_report_uri, "/api/csp-report");
  EXPECT_EQ(options->root_key_dir, "/home/nobody-here/.config/neuraldeck");
  EXPECT_EQ(options->providers, (std::vector<std::string>{"openai=openai:https://api.openai.com/v1",
                                                          "anthropic=anthropic:https://api.anthropic.com"}));
  EXPECT_TRUE(CheckSafeToServe(*options, {}).ok());
}

TEST(Options, SessionExpiryHasItsLimits) {
  for (const char* good : {"1", "2", "604799", "604800", "15m", "7d"}) {
    EXPECT_TRUE(Build({{"session-expiry", {good}}}).ok()) << good;
  }
  for (const char* bad : {"0", "604801", "-1", "", "8d", "1.5", "abc", "99999999999999999999"}) {
    EXPECT_EQ(KindOf({{"session-expiry", {bad}}}), ErrorKind::kInvalidInput) << bad;
  }
}

TEST(Options, NumbersHaveTheirLimits) {
  EXPECT_TRUE(Build({{"port", {"0"}}}).ok());
  EXPECT_TRUE(Build({{"port", {"65535"}}}).ok());
  for (const char* bad : {"65536", "-1", "3001x", "+1", " 1"})
    EXPECT_EQ(KindOf({{"port", {bad}}}), ErrorKind::kInvalidInput) << bad;
  EXPECT_EQ(KindOf({{"loops", {"0"}}}), ErrorKind::kInvalidInput);
  EXPECT_TRUE(Build({{"loops", {"1"}}}).ok());
  EXPECT_EQ(KindOf({{"audit-retention-days", {"0"}}}), ErrorKind::kInvalidInput);
  EXPECT_EQ(KindOf({{"connections-total", {"0"}}}), ErrorKind::kInvalidInput);
}

TEST(Options, AFaultNamesWhereItStands) {
  const auto built = Build({}, {{"HOME", "/home/x"}, {"PORT", "no"}});
  ASSERT_FALSE(built.ok());
  EXPECT_NE(built.error().public_text.find("The variable PORT"), std::string::npos) << built.error().public_text;
}

TEST(Options, TlsIsRefusedAsUnavailable) {
  EXPECT_EQ(KindOf({{"tls-cert", {"c.pem"}}, {"tls-key", {"k.pem"}}}), ErrorKind::kInvalidInput);
}

TEST(Options, CspModesAndReportUris) {
  EXPECT_EQ(Build({{"csp-mode", {"report-only"}}})->csp_mode, server::CspMode::kReportOnly);
  EXPECT_EQ(Build({{"csp-mode", {"both"}}})->csp_mode, server::CspMode::kBoth);
  EXPECT_EQ(KindOf({{"csp-mode", {"off"}}}), ErrorKind::kInvalidInput);
  for (const char* bad : {"reports", "/a; script-src *", "/a b", "http://plain.example/", "/a\r\nX: y"}) {
    EXPECT_EQ(KindOf({{"csp-report-uri", {bad}}}), ErrorKind::kInvalidInput) << bad;
  }
}

TEST(Options, OriginsAreOriginsAndNothingMore) {
  EXPECT_EQ(Build({{"public-origin", {"https://deck.example/"}}})->public_origins.front(), "https://deck.example");
  for (const char* bad : {"deck.example", "https://deck.example/path", "ftp://x", "*", "https://*.example"}) {
    EXPECT_EQ(KindOf({{"public-origin", {bad}}}), ErrorKind::kInvalidInput) << bad;
    EXPECT_EQ(KindOf({{"cors-origins", {bad}}}), ErrorKind::kInvalidInput) << bad;
  }
}

TEST(Options, ConfiguredProvidersComeFirstAndReplaceBuiltInOnes) {
  const auto options = Build({{"provider", {"local=http://127.0.0.1:9/v1", "openai=openai:https://proxy.example/v1"}}});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->providers,
            (std::vector<std::string>{"local=http://127.0.0.1:9/v1", "openai=openai:https://proxy.example/v1",
                                      "anthropic=anthropic:https://api.anthropic.com"}));
  EXPECT_EQ(KindOf({{"provider", {"https://no-name.example"}}}), ErrorKind::kInvalidInput);
}

TEST(Options, ProvidersThatCannotBeUnderstoodAreUsageErrorsThatEchoNoKey) {
  for (const char* bad : {"x=https://user:sk-canary@x.example/v1", "x=ftp://x.example", "x=https://x.example/?key=sk-canary"}) {
    const auto options = Build({{"provider", {bad}}});
    ASSERT_FALSE(options.ok()) << bad;
    EXPECT_EQ(options.error().kind, ErrorKind::kInvalidInput) << bad;
    EXPECT_EQ((options.error().public_text + options.error().detail).find("canary"), std::string::npos) << bad;
  }
  EXPECT_EQ(KindOf({{"provider", {"x=https://x.example", "x=https://y.example"}}}), ErrorKind::kInvalidInput);
  EXPECT_TRUE(Build({{"provider", {"x=http://x.example"}}}).ok()) << "unsafe is another refusal";
}

TEST(SafeToServe, ListeningBeyondThisMachineNeedsTls) {
  for (const char* host : {"0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7"}) {
    const auto options = Build({{"host", {host}}});
    ASSERT_TRUE(options.ok());
    const auto checked = CheckSafeToServe(*options, {});
    ASSERT_FALSE(checked.ok()) << host;
    EXPECT_EQ(checked.error().kind, ErrorKind::kForbidden);
    EXPECT_TRUE(CheckSafeToServe(*Build({{"host", {host}}, {"behind-tls-proxy", {"10.0.0.0/8"}}}), {}).ok());
  }
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(CheckSafeToServe(*Build({{"host", {host}}}), {}).ok()) << host;
  }
  EXPECT_EQ(KindOf({{"host", {"deck.example"}}}), ErrorKind::kInvalidInput);
}

TEST(SafeToServe, APlaceholderSecretIsRefused) {
  EnvironmentSecrets secrets;
  secrets.jwt_secret = Secret("changeme");
  EXPECT_EQ(CheckSafeToServe(*Build({}), secrets).error().kind, ErrorKind::kForbidden);
}

TEST(SafeToServe, TheRootKeyLiesOutsideWhatItProtects) {
  const TestFolder folder;
  const std::string inside = folder.path() + "/keys";
  const GivenTexts flags{{"workspace", {folder.path()}}, {"root-key-dir", {inside}}};
  EXPECT_EQ(CheckSafeToServe(*Build(flags), {}).error().kind, ErrorKind::kForbidden);

  // A neighbour whose name only begins alike is outside.
  EXPECT_TRUE(
      CheckSafeToServe(*Build({{"workspace", {folder.path()}}, {"root-key-dir", {folder.path() + "-keys"}}}), {}).ok());

  // A link does not hide the place.
  const TestFolder other;
  std::filesystem::create_directory(inside);
  std::filesystem::create_directory_symlink(inside, other.path() + "/link");
  EXPECT_FALSE(
      CheckSafeToServe(*Build({{"workspace", {folder.path()}}, {"root-key-dir", {other.path() + "/link"}}}), {}).ok());

  EnvironmentSecrets by_hand;
  by_hand.root_key = Secret("given");
  EXPECT_TRUE(CheckSafeToServe(*Build(flags), by_hand).ok());
}

TEST(SafeToServe, ACommandThatNamesOnlyTheStateFolderHasNoWorkspace) {
  // Run from the home directory, say, where the root key lies further down.
  const Environment home = {{"HOME", std::filesystem::current_path().string()}};
  const auto values = ResolveSettings({{"data-dir", {"/srv/nd-test-data"}}}, home);
  const auto options = BuildOptions(*values, home);
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(CheckPlaces(*options, {}).ok());
  EXPECT_FALSE(CheckSafeToServe(*options, {}).ok());
}

TEST(SafeToServe, TheConfigurationIsNotForAgentsToWrite) {
  const TestFolder folder;
  const std::string exposed = folder.Write("deck.toml", "port = 1\n");
  EXPECT_EQ(CheckSafeToServe(*Build({{"workspace", {folder.path()}}, {"config", {exposed}}}), {}).error().kind,
            ErrorKind::kForbidden);
  folder.Write(".neuraldeck/neuraldeck.toml", "port = 1\n");
  EXPECT_TRUE(CheckSafeToServe(*Build({{"workspace", {folder.path()}}}), {}).ok());
}

}  // namespace
}  // namespace nd::app
