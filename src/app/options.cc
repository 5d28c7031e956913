#include "app/options.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <filesystem>
#include <set>

#include "app/duration.h"
#include "app/jwt_secret.h"
#include "base/text.h"
#include "keeper/provider.h"
#include "server/origins.h"

namespace nd::app {

namespace {
constexpr std::string_view kBuiltInProviders[][2] = {{"openai", "openai=openai:https://api.openai.com/v1"},
                                                     {"anthropic", "anthropic=anthropic:https://api.anthropic.com"}};

// Takes typed values out of Values; the first failure is kept.
class Taker {
 public:
  explicit Taker(const Values& values) : values_(values) {}

  const Value& Get(std::string_view name) const { return values_.find(name)->second; }
  std::string Text(std::string_view name) { return Get(name).text(); }
  std::string Path(std::string_view name) {
    const std::string text = Text(name);
    return text.empty() ? text : Absolute(text);
  }

  std::uint64_t Number(std::string_view name, std::uint64_t least, std::uint64_t most) {
    const std::string text = Text(name);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size() || number < least || number > most) {
      Fail(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
      return least;
    }
    return number;
  }

  bool Switch(std::string_view name) {
    const std::string text = LowerAscii(Text(name));
    if (text == "true" || text == "yes" || text == "1" || text == "on") return true;
    if (text == "false" || text == "no" || text == "0" || text == "off") return false;
    Fail(name, "must be true or false");
    return false;
  }

  void Fail(std::string_view name, std::string_view what) {
    if (failure_) return;
    const Value& value = Get(name);
    std::string place = "--" + std::string(name);
    if (value.origin == Origin::kEnvironment) place = "The variable " + value.where;
    if (value.origin == Origin::kFile) place = "The entry " + std::string(name) + " of " + value.where;
    failure_ = InvalidInput(place + " " + std::string(what) + ".");
  }
  const std::optional<Error>& failure() const { return failure_; }

  static std::string Absolute(const std::string& path) {
    std::string normal = std::filesystem::absolute(path).lexically_normal().string();
    while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    return normal;
  }

 private:
  const Values& values_;
  std::optional<Error> failure_;
};

std::string RootKeyDirectory(Taker& taker, const Environment& environment) {
  if (std::string given = taker.Path("root-key-dir"); !given.empty()) return given;
  // The XDG base directory specification: a relative path is to be ignored.
  if (const auto xdg = environment.find("XDG_CONFIG_HOME"); xdg != environment.end() && xdg->second.starts_with('/')) {
    return Taker::Absolute(xdg->second + "/neuraldeck");
  }
  if (const auto home = environment.find("HOME"); home != environment.end() && home->second.starts_with('/')) {
    return Taker::Absolute(home->second + "/.config/neuraldeck");
  }
  return {};
}

std::vector<std::string> OriginList(Taker& taker, std::string_view name) {
  std::vector<std::string> origins = taker.Get(name).texts;
  for (std::string& origin : origins) {
    // A browser's Origin has no slash at the end; people often write one.
    if (origin.ends_with('/')) origin.pop_back();
    origin = LowerAscii(origin);
    if (!server::Origins::Check(origin).ok() || origin.find('*') != std::string::npos) {
      taker.Fail(name, "must be an origin like https://deck.example or https://deck.example:8443, without a path");
    }
  }
  return origins;
}

void AddProviders(Taker& taker, Options& options) {
  options.providers = taker.Get("provider").texts;
  const auto configured = [&](std::string_view name) {
    for (const std::string& text : options.providers) {
      if (std::string_view(text).substr(0, text.find('=')) == name) return true;
    }
    return false;
  };
  std::set<std::string> names;
  for (const std::string& text : options.providers) {
    const auto parsed = keeper::ProviderConfig::Parse(text);
    // An address that is understood but unsafe is refused as such, later.
    if (!parsed.ok() && parsed.error().kind == ErrorKind::kInvalidInput) {
      taker.Fail("provider", "must be NAME=BASE_URL, NAME=openai:BASE_URL or NAME=anthropic:BASE_URL: " + parsed.error().public_text);
    } else if (parsed.ok() && !names.insert(parsed->name).second) {
      taker.Fail("provider", "names " + parsed->name + " twice");
    }
  }
  std::vector<std::string> built_in;
  for (const auto& [name, text] : kBuiltInProviders) {
    if (!configured(name)) built_in.emplace_back(text);
  }
  options.providers.insert(options.providers.end(), built_in.begin(), built_in.end());
}

server::CspMode TakeCspMode(Taker& taker) {
  const std::string text = taker.Text("csp-mode");
  if (text == "report-only") return server::CspMode::kReportOnly;
  if (text == "both") return server::CspMode::kBoth;
  if (text != "enforce") taker.Fail("csp-mode", "must be enforce, report-only or both");
  return server::CspMode::kEnforce;
}

void TakeListening(Taker& taker, Options& options) {
  options.host = taker.Text("host") == "localhost" ? "127.0.0.1" : taker.Text("host");
  boost::system::error_code failure;
  boost::asio::ip::make_address(options.host, failure);
  if (failure) taker.Fail("host", "must be an IP address such as 127.0.0.1, ::1 or 0.0.0.0");
  options.port = static_cast<std::uint16_t>(taker.Number("port", 0, 65'535));
  for (const std::string_view name : {"tls-cert", "tls-key"}) {
    if (!taker.Get(name).empty()) {
      taker.Fail(
          name,
          "is not available in this version: the deck does not speak TLS itself yet. Put a TLS proxy before it and "
          "name the proxy with --behind-tls-proxy");
    }
  }
  for (const std::string& text : taker.Get("behind-tls-proxy").texts) {
    auto network = net::Network::Parse(text);
    if (network.ok()) {
      options.trusted_proxies.push_back(*std::move(network));
    } else {
      taker.Fail("behind-tls-proxy", "must be an address or a network like 10.0.0.0/8");
    }
  }
}

void TakeSessionExpiry(Taker& taker, Options& options) {
  const std::string text = taker.Text("session-expiry");
  if (const auto duration = ParseDuration(text); duration.ok() && duration->count() <= 604'800) {
    options.session_expiry = *duration;
    return;
  }
  options.session_expiry = std::chrono::seconds(taker.Number("session-expiry", 1, 604'800));
}
}  // namespace

Result<Options> BuildOptions(const Values& values, const Environment& environment) {
  Taker taker(values);
  Options options;
  options.workspace = taker.Path("workspace");
  options.data_dir = taker.Path("data-dir");
  options.workspace_known =
      taker.Get("workspace").origin != Origin::kDefault || taker.Get("data-dir").origin == Origin::kDefault;
  options.config_file = taker.Path("config");
  options.root_key_dir = RootKeyDirectory(taker, environment);
  TakeListening(taker, options);
  options.public_origins = OriginList(taker, "public-origin");
  options.cors_origins = OriginList(taker, "cors-origins");
  AddProviders(taker, options);
  options.provider_ca_file = taker.Path("provider-ca-file");
  if (!taker.Get("loops").empty()) options.loops = taker.Number("loops", 1, 256);
  TakeSessionExpiry(taker, options);
  options.csp_mode = TakeCspMode(taker);
  options.csp_report_uri = taker.Text("csp-report-uri");
  // It becomes part of a header, where these characters would end the directive.
  if (options.csp_report_uri.empty() || options.csp_report_uri.find_first_of(" \t\";,") != std::string::npos ||
      HasControlCharacter(options.csp_report_uri) ||
      !(options.csp_report_uri.starts_with('/') || options.csp_report_uri.starts_with("https://"))) {
    taker.Fail("csp-report-uri",
               "must be a path like /api/csp-report or an https URL, without spaces, commas or semicolons");
  }
  options.cookie_label = taker.Text("cookie-label");
  if (!options.cookie_label.empty() && !IsName(options.cookie_label, 32)) {
    taker.Fail("cookie-label", "must be up to 32 letters, digits, dots, dashes or underscores");
  }
  options.metrics_token_file = taker.Path("metrics-token-file");
  options.audit_retention_days = static_cast<int>(taker.Number("audit-retention-days", 1, 3'650));
  options.audit_sync = taker.Switch("audit-sync");
  options.connections_per_address = taker.Number("connections-per-address", 1, 1'000'000);
  options.connections_total = taker.Number("connections-total", 1, 1'000'000);
  if (taker.failure()) return *taker.failure();
  return options;
}

bool Options::loopback_only() const {
  boost::system::error_code failure;
  const auto address = boost::asio::ip::make_address(host, failure);
  return !failure && net::Canonical(address).is_loopback();
}

std::string Options::BrowserUrl(std::uint16_t bound_port) const {
  return public_origins.empty() ? ListenUrl(bound_port) : public_origins.front();
}

std::string Options::ListenUrl(std::uint16_t bound_port) const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return "http://" + name + ":" + std::to_string(bound_port);
}

bool LiesIn(const std::string& path, const std::string& directory) {
  std::error_code failure;
  const auto inner = std::filesystem::weakly_canonical(path, failure);
  const auto outer = std::filesystem::weakly_canonical(directory, failure);
  auto at = inner.begin();
  for (const auto& part : outer) {
    if (part.empty()) continue;  // a slash at the end
    if (at == inner.end() || *at != part) return false;
    ++at;
  }
  return true;
}

Result<void> CheckPlaces(const Options& options, const EnvironmentSecrets& secrets) {
  std::vector<std::string> protected_places = {options.data_dir};
  if (options.workspace_known) protected_places.push_back(options.workspace);
  for (const std::string& directory : protected_places) {
    if (!secrets.root_key.empty() || options.root_key_dir.empty() || !LiesIn(options.root_key_dir, directory)) continue;
    return Forbidden("The root key must not lie beside what it protects: " + options.root_key_dir + " is inside " +
                     directory +
                     ". Choose another place with --root-key-dir or NEURALDECK_ROOT_KEY_DIR, or another --workspace.");
  }
  if (options.workspace_known && !options.config_file.empty() && LiesIn(options.config_file, options.workspace) &&
      !LiesIn(options.config_file, options.data_dir)) {
    return Forbidden("The configuration file " + options.config_file +
                     " is inside the workspace, where agents may write. Move it to the state folder " +
                     options.data_dir + "/neuraldeck.toml or out of the workspace.");
  }
  return {};
}

Result<void> CheckSafeToServe(const Options& options, const EnvironmentSecrets& secrets) {
  if (!options.loopback_only() && options.trusted_proxies.empty()) {
    return Forbidden("Listening on " + options.host +
                     " would send passwords and tokens over the network unencrypted. Listen on 127.0.0.1, or put a TLS "
                     "proxy before the deck and name its address with --behind-tls-proxy.");
  }
  if (!secrets.jwt_secret.empty()) ND_TRY(CheckJwtSecret(secrets.jwt_secret));
  Options serving = options;
  serving.workspace_known = true;  // a server works in it, named or not
  return CheckPlaces(serving, secrets);
}

}  // namespace nd::app
