// The settings of the deck, declared once: from this table come the flags, the environment variables, the entries of
// the configuration file, `config show` and docs/cli.md.
//
// Pure but for ReadConfigFile. Values are texts here, each with its origin; options.h gives them their types.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/environment.h"
#include "base/result.h"

namespace nd::app {

enum class SettingKind : std::uint8_t {
  kText,
  kPath,    // in a file: relative to the file's directory
  kSwitch,  // true, false, yes, no, 1, 0; a bare flag means true
  kList,    // repeated flag, array in a file, commas or spaces in a variable
};

enum class SettingUse : std::uint8_t {
  kServer,      // a flag of serve, config show and doctor
  kEverywhere,  // a flag of every command that touches the state folder
};

struct Setting {
  std::string_view name;  // "data-dir": the flag --data-dir, the variable NEURALDECK_DATA_DIR, the entry data-dir
  SettingKind kind;
  SettingUse use;
  std::string_view bare_name;  // a variable that is read besides NEURALDECK_..., after it; empty for none
  std::string_view fallback;   // the default; empty for none
  std::string_view value_name;
  std::string_view help;
};

std::span<const Setting> AllSettings();
// nullptr for an unknown name.
const Setting* FindSetting(std::string_view name);
// "NEURALDECK_DATA_DIR" for "data-dir".
std::string VariableOf(std::string_view setting);

enum class Origin : std::uint8_t { kFlag, kEnvironment, kFile, kDefault };
std::string_view OriginName(Origin origin);  // "flag", "environment", "file", "default"

struct Value {
  std::vector<std::string> texts;  // one, but for lists any number
  Origin origin = Origin::kDefault;
  std::string where;  // "--port", "PORT", or the file's path; empty for a default

  bool empty() const { return texts.empty(); }
  std::string text() const { return texts.empty() ? std::string() : texts.front(); }
};

// Every setting of the table has its value here.
using Values = std::map<std::string, Value, std::less<>>;

// What the command line or the file gave, by setting.
using GivenTexts = std::map<std::string, std::vector<std::string>, std::less<>>;

// The entries of a configuration file (TOML or INI without sections). kInvalidInput names an unknown, repeated or
// misplaced entry; kForbidden if others could write the file; kNotFound.
Result<GivenTexts> ReadConfigFile(const std::string& path);
// The same from text. Paths are completed with `directory`.
Result<GivenTexts> ParseConfigText(const std::string& text, const std::string& directory);

// Flag over environment over file over default. The file is the one that --config or NEURALDECK_CONFIG names, else
// neuraldeck.toml of the data directory if there is one. kInvalidInput names what cannot be understood.
Result<Values> ResolveSettings(const GivenTexts& flags, const Environment& environment);

// Variables that start with NEURALDECK_ and mean nothing: probably misspelt.
std::vector<std::string> UnknownVariables(const Environment& environment);

}  // namespace nd::app
