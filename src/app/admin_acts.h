// The administrator's acts, carried out against the deck's stores: the same code for the running server and for a
// command that opened the stores itself, so that both check, change and record the same.
//
// Coroutines of one loop. Users, tokens, sessions and keys are changed as the audit log's sync class asks: the intent
// is durable before the act, the outcome before the answer, and without a durable intent nothing happens.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "app/admin.h"
#include "base/worker.h"
#include "keeper/client.h"
#include "net/loop.h"
#include "server/audit_trail.h"
#include "session/sessions.h"

namespace nd::app {

// What the acts work on. Everything outlives the acts under way.
struct AdminWorld {
  net::Loop& loop;
  session::Sessions& sessions;
  server::AuditTrail& audit;
  keeper::Client& keeper;
  Worker& password_worker;
  Worker& store_worker;
  std::chrono::seconds access_lifetime;
  enum class JwtKey : std::uint8_t { kFromVault, kByHand } jwt_key = JwtKey::kFromVault;
  std::string browser_url;  // of the running server; empty without one
};

// `actor` is who asks, e.g. "cli:root".
net::Task<Result<Secret>> DoAdminAct(AdminWorld& world, std::string actor, AdminAct act);

}  // namespace nd::app
