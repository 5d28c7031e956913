// The product as an HTTP application: route table, pipeline, handlers. One Deck serves all loops of the front.
//
// Thread-safe. Owns no socket and no store: what it needs comes in as its World.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "audit/log.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/worker.h"
#include "http/exchange.h"
#include "http/server.h"
#include "keeper/client.h"
#include "net/address.h"
#include "session/sessions.h"

namespace nd::server {

enum class CspMode : std::uint8_t { kEnforce, kReportOnly, kBoth };

struct Config {
  std::string version;
  std::string workspace;
  std::uint16_t port = 3001;
  bool tls = false;                            // this process speaks TLS itself
  std::vector<std::string> public_origins;     // "https://deck.example": scheme, host, optional port; nothing more
  std::vector<std::string> cors_origins;       // further origins that may read answers; empty by default
  std::vector<net::Network> trusted_proxies;   // --behind-tls-proxy
  CspMode csp_mode = CspMode::kEnforce;
  std::string csp_report_uri = "/api/csp-report";
  std::vector<std::string> listen_hosts;       // host names that requests may name besides public origins, without port
  std::string cookie_label;                    // appended to cookie names when several decks share a host; see docs
  std::string metrics_token;                   // empty: /metrics answers loopback only, and only without a proxy
  std::string audit_directory;
  std::string confinement;                     // what this process has given up, e.g. "landlock 7, seccomp"
};

struct World {
  session::Sessions& sessions;
  audit::Log& audit;
  std::vector<keeper::Client*> keepers;  // one per loop, by Loop::index()
  Worker& password_worker;               // one thread: Argon2id
  Worker& store_worker;                  // SQLite and audit reading
  const http::ConnectionTable& connections;
  const Clock& clock;
  Random& random;
};

class Deck final : public http::Application {
 public:
  Deck(Config config, World world);
  ~Deck() override;

  http::Admission Admit(const http::Request& request, net::Loop& loop) override;
  net::Task<> Handle(http::Exchange& exchange) override;
  http::Response Refuse(int status, std::string_view what, std::string_view request_id,
                        std::string_view path) override;

  // No act is recorded any more, so none that needs a record happens: called before the audit log is closed. Any thread.
  void CloseAudit();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::server
