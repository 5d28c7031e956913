#include "app/cli.h"

#include <gtest/gtest.h>

namespace nd::app {
namespace {

Invocation Parsed(const std::vector<std::string>& arguments) {
  auto outcome = ParseCommandLine(arguments);
  if (auto* invocation = std::get_if<Invocation>(&outcome)) return std::move(*invocation);
  ADD_FAILURE() << "not understood: " << (arguments.empty() ? "" : arguments.front());
  return {};
}

template <class Act>
Act ActOf(const std::vector<std::string>& arguments) {
  Invocation invocation = Parsed(arguments);
  auto* request = std::get_if<AdminRequest>(&invocation.request);
  if (request == nullptr || !std::holds_alternative<Act>(request->act)) {
    ADD_FAILURE() << "another act";
    return {};
  }
  return std::get<Act>(std::move(request->act));
}

ExitCode CodeOf(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto outcome = ParseCommandLine(arguments);
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  const auto* code = std::get_if<ExitCode>(&outcome);
  return code == nullptr ? ExitCode::kFailed : *code;
}

TEST(CommandLine, ServeTakesTheDocumentedFlags) {
  const Invocation invocation =
      Parsed({"serve", "--workspace", "/w", "--data-dir=/d", "--port", "0", "--provider", "a=http://x", "--provider",
              "b=http://y", "--behind-tls-proxy", "10.0.0.0/8", "--audit-sync"});
  EXPECT_TRUE(std::holds_alternative<Serve>(invocation.request));
  EXPECT_EQ(invocation.flags.at("workspace"), std::vector<std::string>{"/w"});
  EXPECT_EQ(invocation.flags.at("data-dir"), std::vector<std::string>{"/d"});
  EXPECT_EQ(invocation.flags.at("provider"), (std::vector<std::string>{"a=http://x", "b=http://y"}));
  EXPECT_EQ(invocation.flags.at("audit-sync"), std::vector<std::string>{"true"});
  EXPECT_FALSE(invocation.flags.contains("host"));
}

TEST(CommandLine, EverySettingIsAFlagOfServe) {
  for (const Setting& setting : AllSettings()) {
    std::vector<std::string> arguments = {"serve", "--" + std::string(setting.name)};
    if (setting.kind != SettingKind::kSwitch) arguments.push_back("x");
    EXPECT_TRUE(Parsed(arguments).flags.contains(setting.name)) << setting.name;
  }
}

TEST(CommandLine, NoSecretIsAFlag) {
  for (const char* flag : {"--jwt-secret", "--root-key", "--password", "--key"}) {
    EXPECT_EQ(CodeOf({"serve", flag, "x"}), ExitCode::kUsage) << flag;
  }
  EXPECT_EQ(CodeOf({"user", "add", "alice", "--role", "admin", "--password", "x"}), ExitCode::kUsage);
  EXPECT_EQ(CodeOf({"keys", "set", "openai", "--key", "x"}), ExitCode::kUsage);
}

TEST(CommandLine, AddsUsersWithTheirPasswordFromStandardInput) {
  Invocation invocation =
      Parsed({"user", "add", "alice", "--role", "operator", "--password-stdin", "--data-dir", "/d", "--json"});
  EXPECT_EQ(invocation.style, OutputStyle::kJson);
  auto& request = std::get<AdminRequest>(invocation.request);
  EXPECT_EQ(request.takes, StdinUse::kPassword);
  GiveSecret(request.act, Secret("pw"));
  const auto& act = std::get<AddUser>(request.act);
  EXPECT_EQ(act.user, "alice");
  EXPECT_EQ(act.role, session::Role::kOperator);
  EXPECT_EQ(act.password.ExposeSecret(), "pw");
}

TEST(CommandLine, CreatesTokensWithScopesAndLifetime) {
  const auto act =
      ActOf<CreateToken>({"token", "create", "--user", "alice", "--name", "ci", "--scope", "model:*", "read:src/**",
                          "--scope", "mcp", "--expires", "90d", "--data-dir", "/d", "--json"});
  EXPECT_EQ(act.user, "alice");
  EXPECT_EQ(act.name, "ci");
  EXPECT_EQ(act.scopes, (std::vector<std::string>{"model:*", "read:src/**", "mcp"}));
  EXPECT_EQ(act.lifetime, std::chrono::hours(24 * 90));
}

TEST(CommandLine, ChangesUsers) {
  EXPECT_EQ(ActOf<UpdateUser>({"user", "disable", "bob"}).disabled, true);
  EXPECT_EQ(ActOf<UpdateUser>({"user", "enable", "bob"}).disabled, false);
  EXPECT_EQ(ActOf<UpdateUser>({"user", "role", "bob", "auditor"}).role, session::Role::kAuditor);
  EXPECT_EQ(ActOf<UnlockUser>({"user", "unlock"}).user, "");
  EXPECT_EQ(ActOf<UnlockUser>({"user", "unlock", "bob"}).user, "bob");
}

TEST(CommandLine, HandlesKeysAndVault) {
  const auto set = ActOf<SetKey>({"keys", "set", "openai", "--key-stdin", "--owner", "bob", "--label", "team"});
  EXPECT_EQ(set.provider, "openai");
  EXPECT_EQ(set.owner, "bob");
  EXPECT_EQ(set.label, "team");
  ActOf<ListKeys>({"keys", "list", "--json"});
  ActOf<DeleteKey>({"keys", "delete", "openai"});
  ActOf<TestKey>({"keys", "test", "openai"});
  ActOf<ShowVault>({"vault", "status"});
  ActOf<CheckVault>({"vault", "check"});
  ActOf<RotateVault>({"vault", "rotate"});
  ActOf<RotateJwt>({"vault", "rotate-jwt"});
}

TEST(CommandLine, InitAndDoctorAndConfig) {
  EXPECT_TRUE(std::get<InitFolder>(Parsed({"init", "--first-deployment"}).request).first_deployment);
  EXPECT_TRUE(std::holds_alternative<RunDoctor>(Parsed({"doctor", "--json"}).request));
  EXPECT_TRUE(std::holds_alternative<ShowConfig>(Parsed({"config", "show", "--port", "1"}).request));
}

TEST(CommandLine, HelpIsFineAndMistakesAreUsage) {
  EXPECT_EQ(CodeOf({"--help"}), ExitCode::kOk);
  EXPECT_EQ(CodeOf({"serve", "--help"}), ExitCode::kOk);
  EXPECT_EQ(CodeOf({"--version"}), ExitCode::kOk);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"fly"},
           {"user"},
           {"serve", "extra"},
           {"serve", "--json"},
           {"serve", "--prot", "1"},
           {"serve", "--port"},
           {"serve", "--port", "1", "--port", "2"},
           {"user", "add", "alice", "--role", "admin"},
           {"user", "add", "alice", "--role", "king", "--password-stdin"},
           {"user", "add", "--role", "admin", "--password-stdin"},
           {"token", "create", "--user", "a", "--name", "n", "--scope", "mcp", "--expires", "90"},
           {"token", "create", "--user", "a", "--name", "n", "--scope", "mcp", "--expires", "367d"},
           {"token", "create", "--user", "a", "--name", "n", "--expires", "90d"}}) {
    EXPECT_EQ(CodeOf(arguments), ExitCode::kUsage) << (arguments.empty() ? "" : arguments.back());
  }
}

}  // namespace
}  // namespace nd::app
