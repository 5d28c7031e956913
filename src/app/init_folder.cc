#include "app/init_folder.h"

#include <unistd.h>

#include "app/settings.h"
#include "app/state_folder.h"
#include "base/files.h"
#include "base/json.h"

namespace nd::app {

std::string ConfigTemplate(const InitFolder& init) {
  std::string text =
      "# The configuration of this deck (TOML). A flag or a variable wins over an entry here.\n"
      "# `neuraldeck config show` prints what is in force and where it came from. Paths are relative to this file.\n"
      "# Secrets do not belong here: provider keys go into the vault, JWT_SECRET and NEURALDECK_ROOT_KEY into the\n"
      "# environment.\n";
  for (const Setting& setting : AllSettings()) {
    // What decides where this very file is found cannot stand in it.
    if (setting.name == "config" || setting.name == "data-dir") continue;
    if (setting.name == "tls-cert" || setting.name == "tls-key") continue;
    text.append("\n# ").append(setting.help).append("\n");
    if (init.first_deployment && setting.name == "csp-mode") {
      text.append(
          "# A first deployment only reports what the policy would block. When no reports come any more, delete the\n"
          "# next line; `neuraldeck doctor` reminds you.\ncsp-mode = \"report-only\"\n");
      continue;
    }
    text.append("# ").append(setting.name).append(" = ");
    if (setting.kind == SettingKind::kList) {
      text.append("[]\n");
    } else if (setting.kind == SettingKind::kSwitch) {
      text.append(setting.fallback).append("\n");
    } else {
      text.append("\"").append(setting.fallback).append("\"\n");
    }
  }
  return text;
}

ExitCode RunInit(const InitFolder& init, OutputStyle style, const Options& options) {
  const StateFolder folder(options.data_dir);
  Result<void> made = folder.Prepare();
  bool wrote = false;
  if (made.ok() && access(folder.config().c_str(), F_OK) != 0) {
    made = CreateFileDurably(folder.config(), ConfigTemplate(init));
    wrote = made.ok();
  }
  if (made.ok() && init.first_deployment && !wrote) {
    made = Conflict(
        "The configuration file " + folder.config() +
        " is there already and was left as it is. For a first deployment, put csp-mode = \"report-only\" in it.");
  }
  if (!made.ok()) {
    PrintError(made.error());
    return ExitCodeOf(made.error());
  }
  std::string text;
  if (style == OutputStyle::kJson) {
    JsonWriter(text)
        .BeginObject()
        .MemberBool("success", true)
        .Member("dataDir", folder.path())
        .Member("config", folder.config())
        .MemberBool("configWritten", wrote)
        .EndObject();
    text.push_back('\n');
  } else {
    text = "State folder: " + folder.path() + "\nConfiguration: " + folder.config() +
           (wrote ? "" : " (left as it was)") + "\nNext: neuraldeck serve --data-dir " + folder.path() + "\n";
  }
  return WriteAll(STDOUT_FILENO, text).ok() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace nd::app
