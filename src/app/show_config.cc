#include "app/show_config.h"

#include "base/json.h"

namespace nd::app {

namespace {
// A base URL may carry a key against all advice ("https://user:key@host"); that part is not shown.
std::string WithoutUserInfo(std::string text) {
  const auto scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const auto end = text.find_first_of("/?#", scheme + 3);
  const auto at = text.rfind('@', end);
  if (at != std::string::npos && at > scheme) text.replace(scheme + 3, at - scheme - 3, "***");
  return text;
}

// The texts in force: paths completed, built-in providers and derived defaults filled in.
std::vector<std::string> Effective(const Setting& setting, const Value& value, const Options& options) {
  if (setting.name == "provider") return options.providers;
  if (setting.name == "root-key-dir") return {options.root_key_dir};
  if (setting.name == "workspace") return {options.workspace};
  if (setting.name == "data-dir") return {options.data_dir};
  if (setting.name == "config") return {options.config_file};
  return value.texts;
}
}  // namespace

std::string RenderConfig(const Values& values, const Options& options, const EnvironmentSecrets& secrets,
                         OutputStyle style) {
  std::string json_text, text;
  JsonWriter json(json_text);
  json.BeginObject().Key("settings").BeginObject();
  for (const Setting& setting : AllSettings()) {
    const Value& value = values.find(setting.name)->second;
    std::string origin(OriginName(value.origin));
    std::string joined;
    json.Key(setting.name).BeginObject().Key("value");
    if (setting.kind == SettingKind::kList) json.BeginArray();
    bool any = false;
    for (std::string item : Effective(setting, value, options)) {
      item = WithoutUserInfo(std::move(item));
      if (setting.kind != SettingKind::kList && item.empty()) continue;
      json.String(item);
      joined.append(joined.empty() ? "" : " ").append(item);
      any = true;
    }
    if (setting.kind == SettingKind::kList) {
      json.EndArray();
    } else if (!any) {
      json.Null();
    }
    json.Member("origin", origin);
    if (!value.where.empty()) json.Member("where", value.where);
    json.EndObject();
    if (!value.where.empty()) origin += " " + value.where;
    text.append(setting.name)
        .append(" = ")
        .append(joined.empty() ? "(none)" : joined)
        .append("    [")
        .append(origin)
        .append("]\n");
  }
  json.EndObject().Key("secrets").BeginObject();
  json.Member("JWT_SECRET", secrets.jwt_secret.empty() ? "not given" : "given");
  json.Member("NEURALDECK_ROOT_KEY", secrets.root_key.empty() ? "not given" : "given");
  json.EndObject().EndObject();
  if (style == OutputStyle::kJson) return json_text + "\n";
  text.append("JWT_SECRET: ").append(secrets.jwt_secret.empty() ? "not given; the vault's key signs\n" : "given\n");
  text.append("NEURALDECK_ROOT_KEY: ")
      .append(secrets.root_key.empty() ? "not given; the key's file is used\n" : "given\n");
  return text;
}

}  // namespace nd::app
