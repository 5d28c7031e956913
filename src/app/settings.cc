#include "app/settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/files.h"

namespace nd::app {

namespace {
using enum SettingKind;
using enum SettingUse;

constexpr std::string_view kConfigName = "neuraldeck.toml";
constexpr std::size_t kMaxConfigSize = 256 * 1024;

constexpr std::array kSettings = {
    Setting{"workspace", kPath, kEverywhere, "", ".", "DIR", "The folder that people and agents work in."},
    Setting{"data-dir", kPath, kEverywhere, "", "", "DIR",
            "The state folder; by default .neuraldeck in the workspace."},
    Setting{"config", kPath, kEverywhere, "", "", "FILE",
            "Configuration file (TOML); by default neuraldeck.toml in the state folder, if it is there."},
    Setting{"root-key-dir", kPath, kEverywhere, "", "", "DIR",
            "Where the vault's root key lies; by default $XDG_CONFIG_HOME/neuraldeck or ~/.config/neuraldeck."},
    Setting{"host", kText, kServer, "", "127.0.0.1", "ADDRESS", "Address to listen on."},
    Setting{"port", kText, kServer, "PORT", "3001", "PORT", "Port to listen on; 0 takes a free one."},
    Setting{"tls-cert", kPath, kServer, "", "", "FILE", "Certificate chain (PEM). Not available in this version."},
    Setting{"tls-key", kPath, kServer, "", "", "FILE", "Private key (PEM). Not available in this version."},
    Setting{"public-origin", kList, kServer, "", "", "URL",
            "Origin under which browsers reach the deck, such as https://deck.example; may be repeated."},
    Setting{
        "behind-tls-proxy", kList, kServer, "", "", "CIDR",
        "Network of a proxy that speaks TLS for the deck and whose forwarding headers are believed; may be repeated."},
    Setting{"provider", kList, kEverywhere, "", "", "NAME=[openai:|anthropic:]BASE_URL",
            "A model provider besides the built-in openai and anthropic, or in place of one; may be repeated."},
    Setting{"provider-ca-file", kPath, kEverywhere, "", "", "FILE",
            "Certificate authorities (PEM) for providers, in place of the system's."},
    Setting{"loops", kText, kServer, "", "", "N", "Event loops; by default one for each CPU this process may use."},
    Setting{"session-expiry", kText, kServer, "SESSION_EXPIRY", "86400", "SECONDS",
            "Life of an access token, 1 to 604800; 900 is recommended."},
    Setting{"csp-mode", kText, kServer, "CSP_MODE", "enforce", "MODE",
            "Content security policy: enforce, report-only or both."},
    Setting{"csp-report-uri", kText, kServer, "CSP_REPORT_URI", "/api/csp-report", "URI",
            "Where browsers report violations of the policy."},
    Setting{"cors-origins", kList, kServer, "CORS_ORIGINS", "", "URL",
            "Further origin whose scripts may read answers; may be repeated. None by default."},
    Setting{"cookie-label", kText, kServer, "", "", "LABEL",
            "Added to the names of the cookies, so that two decks on one host name do not share them."},
    Setting{"metrics-token-file", kPath, kServer, "", "", "FILE",
            "File with the token that /metrics asks for; without it only this machine may ask."},
    Setting{"audit-retention-days", kText, kServer, "", "30", "DAYS", "Days that audit files are kept, 1 to 3650."},
    Setting{"audit-sync", kSwitch, kServer, "", "false", "",
            "Make every audit record durable before its answer, not only the sync class."},
    Setting{"connections-per-address", kText, kServer, "", "1024", "N", "Open connections of one client address."},
    Setting{"connections-total", kText, kServer, "", "16384", "N", "Open connections altogether."},
};

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  constexpr std::string_view kSeparators = ", \t\n";
  while (true) {
    const auto start = text.find_first_not_of(kSeparators);
    if (start == std::string_view::npos) return items;
    text.remove_prefix(start);
    const auto size = std::min(text.find_first_of(kSeparators), text.size());
    items.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

// An empty variable counts as unset, as in most service managers' templates.
Value FromEnvironment(const Setting& setting, const Environment& environment) {
  for (const std::string& name : {VariableOf(setting.name), std::string(setting.bare_name)}) {
    const auto found = environment.find(name);
    if (name.empty() || found == environment.end() || found->second.empty()) continue;
    if (setting.kind == kList) return {SplitList(found->second), Origin::kEnvironment, name};
    return {{found->second}, Origin::kEnvironment, name};
  }
  return {};
}

Value Pick(const Setting& setting, const GivenTexts& flags, const Environment& environment, const GivenTexts& file,
           const std::string& file_path) {
  if (const auto flag = flags.find(setting.name); flag != flags.end() && !flag->second.empty()) {
    return {flag->second, Origin::kFlag, "--" + std::string(setting.name)};
  }
  if (Value value = FromEnvironment(setting, environment); !value.empty()) return value;
  if (const auto entry = file.find(setting.name); entry != file.end() && !entry->second.empty()) {
    return {entry->second, Origin::kFile, file_path};
  }
  if (setting.fallback.empty()) return {};
  return {{std::string(setting.fallback)}, Origin::kDefault, {}};
}

// Where the state folder is as far as flags and environment tell.
std::string DataDirectoryWithoutFile(const GivenTexts& flags, const Environment& environment) {
  const Value given = Pick(*FindSetting("data-dir"), flags, environment, {}, {});
  if (!given.empty()) return given.text();
  return Pick(*FindSetting("workspace"), flags, environment, {}, {}).text() + "/.neuraldeck";
}
}  // namespace

std::span<const Setting> AllSettings() { return kSettings; }

const Setting* FindSetting(std::string_view name) {
  const auto found = std::ranges::find(kSettings, name, &Setting::name);
  return found == kSettings.end() ? nullptr : &*found;
}

std::string VariableOf(std::string_view setting) {
  std::string name = "NEURALDECK_";
  for (const char c : setting) name.push_back(c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c));
  return name;
}

std::string_view OriginName(Origin origin) {
  static constexpr std::string_view kNames[] = {"flag", "environment", "file", "default"};
  return kNames[static_cast<std::size_t>(origin)];
}

Result<GivenTexts> ReadConfigFile(const std::string& path) {
  const std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    // Who writes this file decides where keys are sent.
    if ((info.st_uid != geteuid() && info.st_uid != 0) || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return Forbidden("The configuration file could be written by other users. Make it yours alone: chown " +
                       std::to_string(geteuid()) + " " + absolute + " && chmod go-w " + absolute + ".");
    }
  }
  auto text = ReadTextFile(path, kMaxConfigSize);
  if (!text.ok()) {
    Error error = std::move(text).error();
    error.public_text = "The configuration file " + absolute + " cannot be read. Check the path given with --config.";
    return error;
  }
  auto parsed = ParseConfigText(*text, std::filesystem::path(absolute).parent_path().string());
  if (!parsed.ok()) return InvalidInput(absolute + ": " + parsed.error().public_text);
  return parsed;
}

Result<Values> ResolveSettings(const GivenTexts& flags, const Environment& environment) {
  GivenTexts file;
  const std::string discovered = DataDirectoryWithoutFile(flags, environment) + "/" + std::string(kConfigName);
  Value config = Pick(*FindSetting("config"), flags, environment, {}, {});
  const bool by_name = !config.empty();
  if (!by_name && access(discovered.c_str(), F_OK) == 0) config = {{discovered}, Origin::kDefault, {}};
  if (!config.empty()) {
    auto read = ReadConfigFile(config.text());
    if (!read.ok()) {
      if (read.error().kind == ErrorKind::kForbidden) return std::move(read).error();
      return InvalidInput(read.error().public_text, read.error().detail);
    }
    file = *std::move(read);
  }
  if (!by_name && file.contains("data-dir")) {
    return InvalidInput(config.text() +
                        ": data-dir cannot stand in the configuration file of the state folder itself. Give it with "
                        "--data-dir or NEURALDECK_DATA_DIR, or name the file with --config.");
  }

  Values values;
  for (const Setting& setting : kSettings) {
    values.emplace(setting.name, Pick(setting, flags, environment, file, config.text()));
  }
  values.find("config")->second = config;
  Value& data_dir = values.find("data-dir")->second;
  if (data_dir.empty()) {
    // A file found in a state folder belongs to that folder, whatever workspace it names.
    const bool found_there = !by_name && !config.empty();
    data_dir.texts = {found_there ? DataDirectoryWithoutFile(flags, environment)
                                  : values.find("workspace")->second.text() + "/.neuraldeck"};
  }
  return values;
}

std::vector<std::string> UnknownVariables(const Environment& environment) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("NEURALDECK_")) continue;
    if (std::ranges::none_of(kSettings, [&](const Setting& s) { return VariableOf(s.name) == name; })) {
      unknown.push_back(name);
    }
  }
  return unknown;
}

}  // namespace nd::app
