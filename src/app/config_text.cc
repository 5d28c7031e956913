#include <CLI/CLI.hpp>
#include <filesystem>
#include <sstream>

#include "app/settings.h"
#include "base/text.h"

namespace nd::app {

Result<GivenTexts> ParseConfigText(const std::string& text, const std::string& directory) {
  if (!IsValidUtf8(text)) return InvalidInput("The file is not UTF-8 text.");
  std::vector<CLI::ConfigItem> items;
  try {
    std::istringstream input(text);
    items = CLI::ConfigTOML().from_config(input);
  } catch (const std::exception& failure) {
    return InvalidInput(std::string("The file is not TOML: ") + failure.what());
  }

  GivenTexts given;
  for (const CLI::ConfigItem& item : items) {
    if (!item.parents.empty()) {
      return InvalidInput("Sections such as [" + item.parents.front() +
                          "] are not used here: put every entry at the top level.");
    }
    const Setting* setting = FindSetting(item.name);
    if (setting == nullptr) {
      return InvalidInput("There is no setting \"" + item.name + "\". `neuraldeck config show` lists the settings.");
    }
    if (item.name == "config") return InvalidInput("A configuration file cannot name another one.");
    if (given.contains(item.name)) return InvalidInput("\"" + item.name + "\" stands twice.");
    if (setting->kind != SettingKind::kList && item.inputs.size() != 1) {
      return InvalidInput("\"" + item.name + "\" takes exactly one value, once.");
    }
    std::vector<std::string> texts = item.inputs;
    if (setting->kind == SettingKind::kPath && !texts.front().empty()) {
      texts.front() = (std::filesystem::path(directory) / texts.front()).lexically_normal().string();
    }
    given.emplace(item.name, std::move(texts));
  }
  return given;
}

}  // namespace nd::app
