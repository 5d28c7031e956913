// The settings with their types, checked. What serve, doctor and the data commands work with.
//
// Pure but for CheckPlaces, which looks at paths.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/environment.h"
#include "app/settings.h"
#include "base/result.h"
#include "net/address.h"
#include "server/deck.h"

namespace nd::app {

struct Options {
  std::string workspace;
  // False if only a state folder was named: then `workspace` is where the command happens to run, and says nothing.
  bool workspace_known = true;
  std::string data_dir;
  std::string config_file;   // empty: none
  std::string root_key_dir;  // empty if neither it nor a home directory is known
  std::string host;          // a literal address
  std::uint16_t port = 3001;
  std::vector<std::string> public_origins;
  std::vector<net::Network> trusted_proxies;
  std::vector<std::string> providers;  // as written: NAME=[openai:|anthropic:]BASE_URL; the built-in ones are last
  std::string provider_ca_file;
  std::size_t loops = 0;  // 0: one for each CPU
  std::chrono::seconds session_expiry{86'400};
  server::CspMode csp_mode = server::CspMode::kEnforce;
  std::string csp_report_uri;
  std::vector<std::string> cors_origins;
  std::string cookie_label;
  std::string metrics_token_file;
  int audit_retention_days = 30;
  bool audit_sync = false;
  std::size_t connections_per_address = 1'024;
  std::size_t connections_total = 16'384;

  bool loopback_only() const;
  // "http://127.0.0.1:3001" for `bound_port`.
  std::string ListenUrl(std::uint16_t bound_port) const;
  // Where a browser reaches the deck: the first public origin, else ListenUrl.
  std::string BrowserUrl(std::uint16_t bound_port) const;
};

// kInvalidInput names the setting, where its value came from, and what would be valid. `environment` tells the home
// directory for the root key's place.
Result<Options> BuildOptions(const Values& values, const Environment& environment);

// Whether serving with these options is safe: kForbidden with what to do otherwise. Listening beyond this machine
// without TLS; a JWT_SECRET that is no secret; a root key or configuration file that lies where agents can write.
Result<void> CheckSafeToServe(const Options& options, const EnvironmentSecrets& secrets);

// The part of it that also binds data commands: the root key's file (unless the key is given by hand) lies neither in
// the workspace, if that is known, nor in the state folder, and the configuration file not in the workspace (but in the
// state folder it may).
Result<void> CheckPlaces(const Options& options, const EnvironmentSecrets& secrets);

// True if `path` is `directory` or below it, both resolved as far as they exist.
bool LiesIn(const std::string& path, const std::string& directory);

}  // namespace nd::app
