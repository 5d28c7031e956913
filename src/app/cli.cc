#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>

#include "app/duration.h"

namespace nd::app {

namespace {
constexpr char kFooter[] =
    "Every setting is also a variable (--data-dir is NEURALDECK_DATA_DIR) and an entry of the configuration file; flag "
    "over\n"
    "environment over file. JWT_SECRET and NEURALDECK_ROOT_KEY are taken from the environment only.\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 refused as unsafe.";

// Declares the commands, lets CLI11 parse, and keeps what it found.
class Parser {
 public:
  Parser();
  std::variant<Invocation, ExitCode> Parse(std::vector<std::string> arguments);

 private:
  // A command that does something, below `parent`.
  CLI::App* Command(CLI::App* parent, const std::string& name, const std::string& help, SettingUse use,
                    std::function<Request()> make);
  CLI::App* DataCommand(CLI::App* parent, const std::string& name, const std::string& help,
                        std::function<AdminAct()> make, StdinUse takes = StdinUse::kNothing);
  CLI::App* Group(const std::string& name, const std::string& help);
  void DeclareUsers();
  void DeclareTokens();
  void DeclareKeys();
  void DeclareVault();
  void DeclareServer();

  CLI::App app_{"NeuralDeck: the safe deck on which a team runs AI agents.", "neuraldeck"};
  GivenTexts flags_;
  bool json_ = false;
  std::function<Request()> chosen_;

  // Operands and flags of single commands; each command uses its own few.
  std::string user_, role_, name_, lifetime_, provider_, owner_, label_, id_;
  std::vector<std::string> scopes_;
  bool secret_from_stdin_ = false, first_deployment_ = false;
};

const std::vector<std::string> kRoles = {"admin", "operator", "viewer", "auditor"};

std::string CheckLifetime(const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration.ok()) return duration.error().public_text;
  return duration->count() <= 366LL * 86'400 ? "" : "A token lives for at most 366d.";
}

void AddSetting(CLI::App& command, const Setting& setting, GivenTexts& flags) {
  std::string names = "--" + std::string(setting.name);
  if (setting.name == "cors-origins") names += ",--cors-origin";
  std::string help(setting.help);
  if (!setting.fallback.empty()) help += " [" + std::string(setting.fallback) + "]";
  std::vector<std::string>& texts = flags[std::string(setting.name)];
  if (setting.kind == SettingKind::kSwitch) {
    command.add_flag(names, texts, help)->multi_option_policy(CLI::MultiOptionPolicy::Throw)->group("Settings");
    return;
  }
  CLI::Option* option =
      command.add_option(names, texts, help)->type_name(std::string(setting.value_name))->group("Settings");
  if (setting.kind == SettingKind::kList) {
    // One value for each time the flag stands, so that it never swallows what follows.
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  } else {
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }
}

Parser::Parser() {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", "neuraldeck " ND_VERSION);
  app_.footer(kFooter);
  app_.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return "neuraldeck: " + std::string(error.what()) + "\nTry: " + app->get_name() +
           " --help, or the same after a command.\n";
  });
  DeclareServer();
  DeclareUsers();
  DeclareTokens();
  DeclareKeys();
  DeclareVault();
}

CLI::App* Parser::Group(const std::string& name, const std::string& help) {
  CLI::App* group = app_.add_subcommand(name, help);
  group->require_subcommand(1);
  return group;
}

CLI::App* Parser::Command(CLI::App* parent, const std::string& name, const std::string& help, SettingUse use,
                          std::function<Request()> make) {
  CLI::App* command = parent->add_subcommand(name, help);
  for (const Setting& setting : AllSettings()) {
    if (use == SettingUse::kServer || setting.use == SettingUse::kEverywhere) AddSetting(*command, setting, flags_);
  }
  if (name != "serve") command->add_flag("--json", json_, "Answer with one JSON object on standard output.");
  command->callback([this, make = std::move(make)] { chosen_ = make; });
  return command;
}

CLI::App* Parser::DataCommand(CLI::App* parent, const std::string& name, const std::string& help,
                              std::function<AdminAct()> make, StdinUse takes) {
  return Command(parent, name, help, SettingUse::kEverywhere,
                 [make = std::move(make), takes]() -> Request { return AdminRequest{make(), takes}; });
}

void Parser::DeclareServer() {
  Command(&app_, "serve", "Run the deck.", SettingUse::kServer, []() -> Request { return Serve{}; });
  CLI::App* init = Command(&app_, "init", "Make the state folder and a commented configuration file.",
                           SettingUse::kEverywhere, [this]() -> Request { return InitFolder{first_deployment_}; });
  init->add_flag("--first-deployment", first_deployment_,
                 "Start with a content security policy that only reports, until `doctor` reminds you to enforce it.");
  Command(Group("config", "Look at the configuration."), "show", "Every setting, its value and where it came from.",
          SettingUse::kServer, []() -> Request { return ShowConfig{}; });
  Command(&app_, "doctor", "Check this installation and say what to do about each finding.", SettingUse::kServer,
          []() -> Request { return RunDoctor{}; });
}

void Parser::DeclareUsers() {
  CLI::App* users = Group("user", "People who may sign in.");
  const auto named = [&](const std::string& name, const std::string& help, std::function<AdminAct()> make,
                         StdinUse takes = StdinUse::kNothing) {
    CLI::App* command = DataCommand(users, name, help, std::move(make), takes);
    command->add_option("name", user_, "The user's id.")->required()->type_name("NAME");
    if (takes == StdinUse::kPassword) {
      command->add_flag("--password-stdin", secret_from_stdin_, "Read the password from standard input.")->required();
    }
    return command;
  };
  named(
      "add", "Add a user.", [this] { return AddUser{user_, *session::RoleFromName(role_), {}}; }, StdinUse::kPassword)
      ->add_option("--role", role_, "admin, operator, viewer or auditor.")
      ->required()
      ->type_name("ROLE")
      ->check(CLI::IsMember(kRoles));
  DataCommand(users, "list", "List the users.", [] { return ListUsers{}; });
  named("disable", "Refuse a user, and end what they have open.",
        [this] { return UpdateUser{.user = user_, .role = {}, .disabled = true, .password = {}}; });
  named("enable", "Let a disabled user in again.",
        [this] { return UpdateUser{.user = user_, .role = {}, .disabled = false, .password = {}}; });
  named("role", "Change a user's role, and end what they have open.",
        [this] {
          return UpdateUser{.user = user_, .role = session::RoleFromName(role_), .disabled = {}, .password = {}};
        })
      ->add_option("role", role_, "admin, operator, viewer or auditor.")
      ->required()
      ->type_name("ROLE")
      ->check(CLI::IsMember(kRoles));
  named(
      "password", "Set a user's password, and end what they have open.",
      [this] { return UpdateUser{.user = user_, .role = {}, .disabled = {}, .password = Secret()}; },
      StdinUse::kPassword);
  DataCommand(users, "unlock", "Forget failed sign-ins of a user, or of all.", [this] { return UnlockUser{user_}; })
      ->add_option("name", user_, "The user's id; all if left out.")
      ->type_name("NAME");
  DataCommand(users, "sessions", "List open sessions of a user, or of all.", [this] { return ListUserSessions{user_}; })
      ->add_option("name", user_, "The user's id; all if left out.")
      ->type_name("NAME");
  named("sign-out", "End every session of a user.", [this] { return EndUserSessions{user_}; });
  DataCommand(users, "setup-link", "Print a new link for making the first administrator (the server must run).",
              [] { return NewSetupLink{}; });
}

void Parser::DeclareTokens() {
  CLI::App* tokens = Group("token", "Tokens for agents and programs.");
  CLI::App* create = DataCommand(tokens, "create", "Make a token; it is shown once.",
                                 [this] { return CreateToken{user_, name_, scopes_, *ParseDuration(lifetime_)}; });
  create->add_option("--user", user_, "The user on whose behalf the token acts.")->required()->type_name("NAME");
  create->add_option("--name", name_, "What the token is for.")->required()->type_name("LABEL");
  create->add_option("--scope", scopes_, "model:GLOB, read:GLOB, write:GLOB, command:PROGRAM or mcp; one or more.")
      ->required()
      ->type_name("SCOPE");
  create->add_option("--expires", lifetime_, "Lifetime, such as 12h or 90d; at most 366d.")
      ->required()
      ->type_name("DURATION")
      ->check(CheckLifetime);
  DataCommand(tokens, "list", "List tokens.", [this] { return ListTokens{user_}; })
      ->add_option("--user", user_, "Only this user's.")
      ->type_name("NAME");
  DataCommand(tokens, "revoke", "End a token at once.", [this] { return RevokeToken{id_}; })
      ->add_option("id", id_, "The token's id, as listed.")
      ->required()
      ->type_name("ID");
}

void Parser::DeclareKeys() {
  CLI::App* keys = Group("keys", "Provider keys. They go in and are used, but never come out.");
  const auto about = [&](const std::string& name, const std::string& help, std::function<AdminAct()> make,
                         StdinUse takes = StdinUse::kNothing) {
    CLI::App* command = DataCommand(keys, name, help, std::move(make), takes);
    command->add_option("provider", provider_, "The provider's name.")->required()->type_name("PROVIDER");
    command->add_option("--owner", owner_, "Only for this user; for everyone if left out.")->type_name("USER");
    return command;
  };
  DataCommand(keys, "list", "List the stored keys.", [] { return ListKeys{}; });
  CLI::App* set =
      about("set", "Store a key.", [this] { return SetKey{provider_, owner_, label_, {}}; }, StdinUse::kKey);
  set->add_flag("--key-stdin", secret_from_stdin_, "Read the key from standard input.")->required();
  set->add_option("--label", label_, "A note that is shown with the key.")->type_name("LABEL");
  about("delete", "Delete a key.", [this] { return DeleteKey{provider_, owner_}; });
  about("test", "Ask the provider whether it takes the key.", [this] { return TestKey{provider_, owner_}; });
}

void Parser::DeclareVault() {
  CLI::App* vault = Group("vault", "The sealed file that holds the secrets.");
  DataCommand(vault, "status", "What the vault is and holds.", [] { return ShowVault{}; });
  DataCommand(vault, "check", "Open every record again from the disk.", [] { return CheckVault{}; });
  DataCommand(vault, "rotate", "New root key, and new data keys for every record.", [] { return RotateVault{}; });
  DataCommand(vault, "rotate-jwt", "New key for signing session tokens; nobody is signed out.",
              [] { return RotateJwt{}; });
}

std::variant<Invocation, ExitCode> Parser::Parse(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::RequiredError& outcome) {
    // CLI11 misses the command before it notices that another word stands in its place.
    const std::vector<std::string> unknown = app_.remaining(true);
    if (unknown.empty()) return app_.exit(outcome) == 0 ? ExitCode::kOk : ExitCode::kUsage;
    app_.exit(CLI::ExtrasError("neuraldeck", {unknown.front()}));
    return ExitCode::kUsage;
  } catch (const CLI::ParseError& outcome) {
    return app_.exit(outcome) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  std::erase_if(flags_, [](const auto& flag) { return flag.second.empty(); });
  return Invocation{chosen_(), std::move(flags_), json_ ? OutputStyle::kJson : OutputStyle::kText};
}
}  // namespace

std::variant<Invocation, ExitCode> ParseCommandLine(const std::vector<std::string>& arguments) {
  return Parser().Parse(arguments);
}

void GiveSecret(AdminAct& act, Secret secret) {
  if (auto* add = std::get_if<AddUser>(&act)) add->password = std::move(secret);
  if (auto* update = std::get_if<UpdateUser>(&act)) update->password = std::move(secret);
  if (auto* set = std::get_if<SetKey>(&act)) set->key = std::move(secret);
}

}  // namespace nd::app
