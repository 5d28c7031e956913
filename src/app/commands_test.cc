// The commands that only look or prepare: init, config show, doctor's checks, standard input, environment.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "app/data_command.h"
#include "app/doctor.h"
#include "app/environment.h"
#include "app/init_folder.h"
#include "app/print.h"
#include "app/settings.h"
#include "app/show_config.h"
#include "app/state_folder.h"
#include "app/test_folder.h"
#include "base/files.h"
#include "base/json.h"

namespace nd::app {
namespace {

Options OptionsFor(const TestFolder& folder, GivenTexts flags = {}) {
  flags["workspace"] = {folder.path()};
  flags["root-key-dir"] = {"/nonexistent-nd-keys"};
  const auto values = ResolveSettings(flags, {});
  return *BuildOptions(*values, {});
}

std::string Quietly(const std::function<void()>& run) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  run();
  testing::internal::GetCapturedStderr();
  return testing::internal::GetCapturedStdout();
}

unsigned ModeOf(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
}

TEST(Init, MakesAPrivateFolderThatStaysOutOfRepositories) {
  const TestFolder folder;
  const Options options = OptionsFor(folder);
  Quietly([&] { EXPECT_EQ(RunInit({}, OutputStyle::kText, options), ExitCode::kOk); });
  const StateFolder state(options.data_dir);
  EXPECT_EQ(ModeOf(state.path()), 0700U);
  EXPECT_EQ(ModeOf(state.state()), 0700U);
  EXPECT_EQ(ModeOf(state.audit()), 0700U);
  EXPECT_EQ(ModeOf(state.config()), 0600U);
  EXPECT_EQ(*ReadTextFile(state.gitignore(), 100), "*\n");
}

TEST(Init, ItsConfigurationFileChangesNothing) {
  const TestFolder folder;
  Quietly([&] { EXPECT_EQ(RunInit({}, OutputStyle::kJson, OptionsFor(folder)), ExitCode::kOk); });
  const auto given = ParseConfigText(ConfigTemplate({}), "/");
  ASSERT_TRUE(given.ok()) << given.error().public_text;
  EXPECT_TRUE(given->empty());
}

TEST(Init, EachCommentedLineIsAValidEntry) {
  std::string text = ConfigTemplate({});
  std::string uncommented;
  std::size_t entries = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const auto equals = line.find(" = ");
    if (!line.starts_with("# ") || equals == std::string::npos || FindSetting(line.substr(2, equals - 2)) == nullptr)
      continue;
    uncommented += line.substr(2) + "\n";
    ++entries;
  }
  EXPECT_EQ(entries, AllSettings().size() - 4);  // without config, data-dir and the two of TLS
  const auto given = ParseConfigText(uncommented, "/");
  EXPECT_TRUE(given.ok()) << given.error().public_text;
}

TEST(Init, AFirstDeploymentOnlyReports) {
  const TestFolder folder;
  Quietly(
      [&] { EXPECT_EQ(RunInit({.first_deployment = true}, OutputStyle::kText, OptionsFor(folder)), ExitCode::kOk); });
  EXPECT_EQ(OptionsFor(folder).csp_mode, server::CspMode::kReportOnly);
  // A file that is there is not rewritten, and that is said.
  Quietly([&] { EXPECT_EQ(RunInit({}, OutputStyle::kText, OptionsFor(folder)), ExitCode::kOk); });
  Quietly([&] {
    EXPECT_EQ(RunInit({.first_deployment = true}, OutputStyle::kText, OptionsFor(folder)), ExitCode::kFailed);
  });
  EXPECT_EQ(OptionsFor(folder).csp_mode, server::CspMode::kReportOnly);
}

TEST(ShowConfig, TellsOriginsAndNoSecret) {
  const GivenTexts flags{{"port", {"4004"}}, {"provider", {"x=https://x.example/v1"}}};
  const Environment environment{{"HOME", "/home/x"}, {"CSP_MODE", "both"}};
  const auto values = ResolveSettings(flags, environment);
  const auto options = BuildOptions(*values, environment);
  ASSERT_TRUE(options.ok());
  EnvironmentSecrets secrets;
  secrets.jwt_secret = Secret("canary");
  for (const OutputStyle style : {OutputStyle::kText, OutputStyle::kJson}) {
    const std::string text = RenderConfig(*values, *options, secrets, style);
    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
    EXPECT_NE(text.find("4004"), std::string::npos);
    EXPECT_NE(text.find("CSP_MODE"), std::string::npos);
    EXPECT_NE(text.find("--port"), std::string::npos);
  }
  EXPECT_TRUE(ParseJson(RenderConfig(*values, *options, secrets, OutputStyle::kJson)).ok());
}

Verdict Worst(const std::vector<Finding>& findings) {
  Verdict worst = Verdict::kPass;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  return worst;
}

TEST(Doctor, FindsOpenModesAndSaysHowToCloseThem) {
  const TestFolder folder;
  const Options options = OptionsFor(folder);
  ASSERT_TRUE(StateFolder(options.data_dir).Prepare().ok());
  std::vector<Finding> findings;
  CheckFolder(options, findings);
  EXPECT_EQ(Worst(findings), Verdict::kPass);

  ASSERT_EQ(chmod(StateFolder(options.data_dir).state().c_str(), 0750), 0);
  findings.clear();
  CheckFolder(options, findings);
  EXPECT_EQ(Worst(findings), Verdict::kFail);
  EXPECT_TRUE(
      std::ranges::any_of(findings, [](const Finding& f) { return f.text.find("chmod go-rwx") != std::string::npos; }));
}

TEST(Doctor, NagsAboutAPolicyThatOnlyReports) {
  const TestFolder folder;
  std::vector<Finding> findings;
  CheckSettings(OptionsFor(folder, {{"csp-mode", {"report-only"}}, {"session-expiry", {"900"}}}), {}, findings);
  EXPECT_EQ(Worst(findings), Verdict::kWarn);
}

TEST(Doctor, FailsAWeakSecretAndAnOpenListener) {
  const TestFolder folder;
  std::vector<Finding> findings;
  EnvironmentSecrets secrets;
  secrets.jwt_secret = Secret("changeme");
  CheckSettings(OptionsFor(folder), secrets, findings);
  EXPECT_EQ(Worst(findings), Verdict::kFail);
  findings.clear();
  CheckSettings(OptionsFor(folder, {{"host", {"0.0.0.0"}}}), {}, findings);
  EXPECT_EQ(Worst(findings), Verdict::kFail);
}

TEST(Doctor, SeesAClockThatWentBack) {
  const TestFolder folder;
  const Options options = OptionsFor(folder);
  ASSERT_TRUE(StateFolder(options.data_dir).Prepare().ok());
  folder.Write(".neuraldeck/secrets.enc", "x");
  std::vector<Finding> findings;
  CheckClock(options, SystemClock(), findings);
  EXPECT_EQ(Worst(findings), Verdict::kPass);
  findings.clear();
  CheckClock(options, ManualClock(SystemClock().Now() - std::chrono::hours(1)), findings);
  EXPECT_EQ(Worst(findings), Verdict::kFail);
  findings.clear();
  CheckClock(options, ManualClock(WallTime{}), findings);
  EXPECT_EQ(Worst(findings), Verdict::kFail);
}

Result<Secret> ReadBack(const std::string& bytes) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  {
    const UniqueFd writer(ends[1]);
    EXPECT_TRUE(WriteAll(writer.get(), bytes).ok());
  }
  return ReadSecretInput(reader.get(), "password");
}

TEST(SecretInput, LosesOneNewlineAndNothingElse) {
  EXPECT_EQ(ReadBack("secret")->ExposeSecret(), "secret");
  EXPECT_EQ(ReadBack("secret\n")->ExposeSecret(), "secret");
  EXPECT_EQ(ReadBack("secret\r\n")->ExposeSecret(), "secret");
  EXPECT_EQ(ReadBack("secret\n\n")->ExposeSecret(), "secret\n");
  EXPECT_EQ(ReadBack(" two words \n")->ExposeSecret(), " two words ");
}

TEST(SecretInput, HasItsLimits) {
  EXPECT_FALSE(ReadBack("").ok());
  EXPECT_FALSE(ReadBack("\n").ok());
  EXPECT_TRUE(ReadBack(std::string(16 * 1024 - 1, 'x')).ok());
  EXPECT_TRUE(ReadBack(std::string(16 * 1024, 'x') + "\n").ok());
  EXPECT_FALSE(ReadBack(std::string(16 * 1024 + 1, 'x')).ok());
}

TEST(EnvironmentSecretsTest, AreTakenOutOfTheBlockTheKernelShows) {
  char first[] = "JWT_SECRET=canary-one";
  char second[] = "NEURALDECK_ROOT_KEY=canary-two";
  char third[] = "NEURALDECK_PORT=1";
  char* block[] = {first, second, third, nullptr};
  char** const real = environ;
  environ = block;
  const EnvironmentSecrets secrets = TakeEnvironmentSecrets();
  const Environment rest = ReadEnvironment();
  environ = real;
  EXPECT_EQ(secrets.jwt_secret.ExposeSecret(), "canary-one");
  EXPECT_EQ(secrets.root_key.ExposeSecret(), "canary-two");
  EXPECT_EQ(std::string_view(first, sizeof first).find("canary"), std::string_view::npos);
  EXPECT_EQ(std::string_view(second, sizeof second).find("canary"), std::string_view::npos);
  EXPECT_EQ(rest, (Environment{{"NEURALDECK_PORT", "1"}}));
}

TEST(EnvironmentSecretsTest, TheLongerNameWinsAndBothGo) {
  char bare[] = "JWT_SECRET=bare";
  char own[] = "NEURALDECK_JWT_SECRET=own";
  char* block[] = {bare, own, nullptr};
  char** const real = environ;
  environ = block;
  const EnvironmentSecrets secrets = TakeEnvironmentSecrets();
  const bool empty = ReadEnvironment().empty();
  environ = real;
  EXPECT_EQ(secrets.jwt_secret.ExposeSecret(), "own");
  EXPECT_TRUE(empty);
}

TEST(Print, TablesLineUpAndEscapeWhatATerminalWouldObey) {
  const Secret answer(
      R"({"providers":[{"provider":"openai","owner":"","last4":"cdef","label":"a\u001b[2Jb","updatedAt":"2026","status":"ok"}]})");
  const Secret text = RenderAnswer(AdminAct(ListKeys{}).index(), answer, OutputStyle::kText);
  EXPECT_EQ(text.ExposeSecret(),
            "PROVIDER  OWNER  ENDS IN  LABEL        UPDATED  STATUS\n"
            "openai    -      cdef     a\\u001b[2Jb  2026     ok\n");
  EXPECT_EQ(RenderAnswer(AdminAct(ListKeys{}).index(), answer, OutputStyle::kJson).ExposeSecret(),
            std::string(answer.ExposeSecret()) + "\n");
}

TEST(Print, OtherAnswersAreLines) {
  EXPECT_EQ(
      RenderAnswer(AdminAct(UnlockUser{}).index(), Secret(R"({"success":true})"), OutputStyle::kText).ExposeSecret(),
      "done\n");
  EXPECT_EQ(RenderAnswer(AdminAct(RevokeToken{}).index(), Secret(R"({"success":true,"id":"x","n":5,"list":["a","b"]})"),
                         OutputStyle::kText)
                .ExposeSecret(),
            "id: x\nn: 5\nlist: a b\n");
}

}  // namespace
}  // namespace nd::app
