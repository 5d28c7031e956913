#include "app/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/test_folder.h"
#include "base/files.h"

namespace nd::app {
namespace {

TEST(Settings, FlagOverEnvironmentOverFileOverDefault) {
  const TestFolder folder;
  const std::string file = folder.Write("deck.toml", "port = 4001\n");
  const GivenTexts only_file{{"config", {file}}};

  auto values = ResolveSettings({{"workspace", {folder.path()}}}, {});
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->at("port").text(), "3001");
  EXPECT_EQ(values->at("port").origin, Origin::kDefault);

  values = ResolveSettings(only_file, {});
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->at("port").text(), "4001");
  EXPECT_EQ(values->at("port").origin, Origin::kFile);
  EXPECT_EQ(values->at("port").where, file);

  values = ResolveSettings(only_file, {{"PORT", "5001"}});
  EXPECT_EQ(values->at("port").text(), "5001");
  EXPECT_EQ(values->at("port").where, "PORT");

  values = ResolveSettings(only_file, {{"PORT", "5001"}, {"NEURALDECK_PORT", "6001"}});
  EXPECT_EQ(values->at("port").text(), "6001");
  EXPECT_EQ(values->at("port").where, "NEURALDECK_PORT");

  values = ResolveSettings({{"config", {file}}, {"port", {"7001"}}}, {{"NEURALDECK_PORT", "6001"}});
  EXPECT_EQ(values->at("port").text(), "7001");
  EXPECT_EQ(values->at("port").origin, Origin::kFlag);
}

TEST(Settings, TheContractsBareVariablesAreRead) {
  const auto values = ResolveSettings({}, {{"SESSION_EXPIRY", "900"},
                                           {"CSP_MODE", "both"},
                                           {"CSP_REPORT_URI", "/r"},
                                           {"CORS_ORIGINS", "https://a.example, https://b.example"}});
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->at("session-expiry").text(), "900");
  EXPECT_EQ(values->at("csp-mode").text(), "both");
  EXPECT_EQ(values->at("csp-report-uri").text(), "/r");
  EXPECT_EQ(values->at("cors-origins").texts, (std::vector<std::string>{"https://a.example", "https://b.example"}));
}

TEST(Settings, EverySettingHasItsVariable) {
  Environment environment;
  for (const Setting& setting : AllSettings()) {
    if (setting.name != "config") environment[VariableOf(setting.name)] = "x";
  }
  const auto values = ResolveSettings({}, environment);
  ASSERT_TRUE(values.ok());
  for (const Setting& setting : AllSettings()) {
    if (setting.name == "config") continue;
    EXPECT_EQ(values->at(std::string(setting.name)).text(), "x") << setting.name;
  }
}

TEST(Settings, AnEmptyVariableCountsAsUnset) {
  const auto values = ResolveSettings({}, {{"NEURALDECK_PORT", ""}, {"PORT", ""}});
  EXPECT_EQ(values->at("port").origin, Origin::kDefault);
}

TEST(Settings, TheStateFolderFollowsTheWorkspace) {
  const auto values = ResolveSettings({{"workspace", {"/srv/work"}}}, {});
  EXPECT_EQ(values->at("data-dir").text(), "/srv/work/.neuraldeck");
}

TEST(Settings, AFileInTheStateFolderIsFoundAndBelongsToIt) {
  const TestFolder folder;
  folder.Write(".neuraldeck/neuraldeck.toml", "csp-mode = \"report-only\"\nworkspace = \"/elsewhere\"\n");
  const auto values = ResolveSettings({{"workspace", {folder.path()}}}, {});
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->at("csp-mode").text(), "report-only");
  EXPECT_EQ(values->at("data-dir").text(), folder.path() + "/.neuraldeck");

  folder.Write(".neuraldeck/neuraldeck.toml", "data-dir = \"/elsewhere\"\n");
  EXPECT_EQ(ResolveSettings({{"workspace", {folder.path()}}}, {}).error().kind, ErrorKind::kInvalidInput);
}

TEST(Settings, ANamedFileMustExist) {
  EXPECT_EQ(ResolveSettings({{"config", {"/nonexistent/deck.toml"}}}, {}).error().kind, ErrorKind::kInvalidInput);
}

TEST(Settings, AFileOthersCanWriteIsRefused) {
  const TestFolder folder;
  const std::string file = folder.Write("deck.toml", "port = 4001\n");
  ASSERT_EQ(chmod(file.c_str(), 0664), 0);
  EXPECT_EQ(ResolveSettings({{"config", {file}}}, {}).error().kind, ErrorKind::kForbidden);
  ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  EXPECT_TRUE(ResolveSettings({{"config", {file}}}, {}).ok());
}

TEST(ConfigFile, ReadsValuesListsAndComments) {
  const auto given = ParseConfigText(
      "# a comment\n\nport = 8080   # another\naudit-sync = true\n"
      "provider = [\"local=openai:http://127.0.0.1:9/v1\", 'b=https://b.example/v1']\ntls-cert = \"cert.pem\"\n",
      "/etc/deck");
  ASSERT_TRUE(given.ok()) << given.error().public_text;
  EXPECT_EQ(given->at("port").front(), "8080");
  EXPECT_EQ(given->at("audit-sync").front(), "true");
  EXPECT_EQ(given->at("provider"),
            (std::vector<std::string>{"local=openai:http://127.0.0.1:9/v1", "b=https://b.example/v1"}));
  EXPECT_EQ(given->at("tls-cert").front(), "/etc/deck/cert.pem");
}

TEST(ConfigFile, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"prot = 1\n", "jwt-secret = \"x\"\n", "[server]\nport = 1\n", "port = 1\nhost = \"::1\"\nport = 2\n",
        "port = [1, 2]\n", "config = \"other.toml\"\n", "port = 1\nport = 1\n", "host = \"\xff\"\n"}) {
    EXPECT_FALSE(ParseConfigText(text, "/").ok()) << text;
  }
}

TEST(Settings, TheDocumentNamesEveryOne) {
  const auto document = ReadTextFile(std::string(ND_SOURCE_DIR) + "/docs/cli.md", 1 << 20);
  ASSERT_TRUE(document.ok());
  for (const Setting& setting : AllSettings()) {
    EXPECT_NE(document->find("`" + std::string(setting.name) + "`"), std::string::npos) << setting.name;
  }
}

TEST(Settings, MisspeltVariablesAreNamed) {
  EXPECT_EQ(UnknownVariables({{"NEURALDECK_PROT", "1"}, {"NEURALDECK_PORT", "1"}, {"HOME", "/"}}),
            std::vector<std::string>{"NEURALDECK_PROT"});
}

}  // namespace
}  // namespace nd::app
