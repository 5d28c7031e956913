// The deck's services as the pipeline and handlers use them: the World plus what the server room itself keeps.
//
// Thread-safe where shared by loops; per-loop parts are reached by the loop's index.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/audit_trail.h"
#include "server/csp.h"
#include "server/deck.h"
#include "server/live_calls.h"
#include "server/origins.h"
#include "server/rate_limiter.h"

namespace nd::server {

// Counters of /metrics. Monotonic since start.
struct Counters {
  std::array<std::atomic<std::uint64_t>, 6> by_class{};  // index = status / 100
  std::atomic<std::uint64_t> sign_ins{0}, sign_in_failures{0};
  std::atomic<std::uint64_t> csrf_rejected{0}, rate_limited{0};
  std::atomic<std::uint64_t> model_calls{0}, model_errors{0};
  std::atomic<std::uint64_t> prompt_tokens{0}, completion_tokens{0};
  std::atomic<std::uint64_t> csp_reports{0};
};

class Services {
 public:
  Services(Config config_in, World world_in);

  keeper::Client& Keeper(const net::Loop& loop) const { return *world.keepers[loop.index()]; }

  // What every answer of the product has; counts it. Also for the head of a stream.
  http::Response Dress(const Context& context, http::Response response);
  void Count(int status);

  const Config config;
  World world;
  const Origins origins;
  const SecurityHeaders headers;
  AuditTrail audit;
  RateLimiter limiter;
  Counters counters;
  LiveCalls live_calls;
  const SteadyTime started_at;
  // "__Host-nd_refresh" and "__Host-nd_csrf", with the deck's label if one is configured.
  const std::string refresh_cookie, csrf_cookie;

 private:
  void RecordEnd(const std::string& id, session::CallerKind kind, session::EndReason reason);
};

}  // namespace nd::server
