// What a handler gets: the exchange, who calls, and the services of the deck.
//
// Lives in the request's coroutine, on one loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "http/exchange.h"
#include "server/route.h"
#include "session/sessions.h"

namespace nd::server {

class Services;

// Between Admit and Handle.
struct State final : http::RequestState {
  const Route* route = nullptr;      // null: refused before a route was known
  std::string_view parameter;
  session::CallerPtr caller;         // null on anonymous routes
  std::string address;               // the client's, after trusted proxies
  std::string cors_origin;           // a configured foreign origin whose page may read the answer
  bool preflight = false;            // a CORS preflight for that origin
  std::optional<Error> refusal;
  std::string allow;                 // for 405
  enum class RefusalEvent : std::uint8_t { kNone, kCsrf, kRate, kOrigin, kToken, kRole } refusal_event = RefusalEvent::kNone;
};

struct Context {
  http::Exchange& exchange;
  const http::Request& request;
  State& state;
  Services& services;

  const session::Caller& caller() const { return *state.caller; }
  session::Client client() const;
  net::Loop& loop() const { return exchange.loop(); }
};

// Verifies the caller's token and role once more (pipeline.cc): a body may take its time, and a session may have ended meanwhile.
// Ok on anonymous routes.
Result<void> RecheckCaller(const Context& context);

// 200 (or `status`) with a JSON body.
http::Response JsonResponse(std::string body, int status = 200);

}  // namespace nd::server
