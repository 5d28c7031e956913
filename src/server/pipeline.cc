#include "server/pipeline.h"

#include "base/text.h"
#include "net/address.h"
#include "server/problem.h"

namespace nd::server {

namespace {
using http::Known;
using http::Request;

bool IsMutation(http::Method method) {
  return method != http::Method::kGet && method != http::Method::kHead && method != http::Method::kOptions;
}

// The token of a request, from Authorization or, on provider-shaped routes, x-api-key.
Result<std::string_view> TokenOf(const Request& request, ErrorShape shape) {
  std::string_view bearer;
  if (request.Has(Known::kAuthorization)) {
    const std::string_view value = request.Get(Known::kAuthorization);
    if (value.size() < 7 || !EqualIgnoreCase(value.substr(0, 7), "Bearer ")) {
      return Unauthenticated("Send the session or agent token as \"Authorization: Bearer <token>\".", "foreign scheme");
    }
    bearer = TrimSpace(value.substr(7));
  }
  if (shape != ErrorShape::kProblem && request.Has(Known::kApiKey)) {
    const std::string_view key = TrimSpace(request.Get(Known::kApiKey));
    if (!bearer.empty() && bearer != key) {
      return InvalidInput("Authorization and x-api-key carry different tokens; send one of them.");
    }
    bearer = key;
  }
  if (bearer.empty()) {
    return Unauthenticated("Sign in first: this route needs a session or agent token as \"Authorization: Bearer <token>\".",
                           "no token");
  }
  return bearer;
}

Result<void> CheckRole(const Route& route, const session::Caller& caller) {
  if (!route.access.Admits(caller.role())) {
    return Forbidden("Your role does not allow this. An administrator can change roles.", "role");
  }
  if (!caller.is_agent()) return {};
  switch (route.access.agents()) {
    case Access::Agents::kAny: return {};
    case Access::Agents::kNever:
      return Forbidden("Agents cannot use this route; it is for people.", "agent on a people's route");
    case Access::Agents::kWithModelScope:
      for (const session::Scope& scope : caller.scopes()) {
        if (scope.kind == session::Scope::Kind::kModel) return {};
      }
      return Forbidden("This agent token has no model scope. Make one with --scope model:GLOB.", "no model scope");
  }
  return Forbidden("Your token does not allow this.", "unknown rule");
}

Result<void> CheckMediaType(const Route& route, const Request& request) {
  if (const std::string_view coding = request.Find("content-encoding"); !coding.empty() && !EqualIgnoreCase(coding, "identity")) {
    return WithCode(InvalidInput("Send the body without Content-Encoding."), "unsupported_media_type");
  }
  const bool has_body = request.Has(Known::kTransferEncoding) ||
                        (request.Has(Known::kContentLength) && request.Get(Known::kContentLength) != "0");
  const std::string_view type = request.Get(Known::kContentType);
  const auto refuse = [](std::string_view wanted) -> Result<void> {
    Error error = InvalidInput("Send the body as Content-Type: " + std::string(wanted) + ".");
    return WithCode(std::move(error), "unsupported_media_type");
  };
  switch (route.body.kind()) {
    case BodyRule::Kind::kNone:
      if (has_body && !IsMediaType(type, "application/json")) return refuse("application/json, or send none");
      return {};
    case BodyRule::Kind::kJson:
      if (!IsMediaType(type, "application/json")) return refuse("application/json");
      return {};
    case BodyRule::Kind::kCspReport:
      if (!IsMediaType(type, "application/csp-report") && !IsMediaType(type, "application/reports+json") &&
          !IsMediaType(type, "application/json")) {
        return refuse("application/csp-report or application/reports+json");
      }
      return {};
  }
  return {};
}

// Everything from the source check on; the route is known.
Result<void> CheckRoute(Services& services, const Request& request, State& state, const std::string& limit_key) {
  const Route& route = *state.route;
  const bool page = !route.pattern.starts_with("/api/") && !route.pattern.starts_with("/v1/");
  switch (JudgeSource(services.origins, request, page ? Target::kPage : Target::kApi)) {
    case RequestSource::kOurs: break;
    case RequestSource::kCors: state.cors_origin = std::string(request.Get(Known::kOrigin)); break;
    case RequestSource::kForeign:
      state.refusal_event = State::RefusalEvent::kOrigin;
      return Forbidden("This request comes from a page of another origin. If that origin is yours, start the deck with "
                       "--public-origin and its address.", "foreign origin");
  }
  if (!route.access.anonymous()) {
    ND_ASSIGN(const std::string_view token, TokenOf(request, route.shape));
    auto verified = services.world.sessions.Verify(token);
    if (!verified.ok()) {
      if (const int wait = services.limiter.Take(RateClass::kBadToken, limit_key); wait > 0) {
        state.refusal_event = State::RefusalEvent::kRate;
        return RateLimited("Too many refused tokens from this address; wait as long as Retry-After says.", wait);
      }
      state.refusal_event = State::RefusalEvent::kToken;
      return std::move(verified).error();
    }
    state.caller = *std::move(verified);
    if (auto allowed = CheckRole(route, *state.caller); !allowed.ok()) {
      state.refusal_event = State::RefusalEvent::kRole;
      return allowed;
    }
    if (const int wait = services.limiter.Take(RateClass::kPrincipal, state.caller->id()); wait > 0) {
      state.refusal_event = State::RefusalEvent::kRate;
      return RateLimited("Too many requests; wait as long as Retry-After says.", wait);
    }
  }
  ND_TRY(CheckMediaType(route, request));
  if (route.csrf.required() && !state.caller->is_agent()) {
    const auto cookie = FindCookie(request.Get(Known::kCookie), services.csrf_cookie);
    if (auto checked = services.world.sessions.CheckCsrf(*state.caller, request.Get(Known::kCsrfToken), cookie); !checked.ok()) {
      state.refusal_event = State::RefusalEvent::kCsrf;
      return checked;
    }
  }
  return {};
}

Result<void> CheckRequest(Services& services, const Request& request, State& state) {
  const std::string limit_key = net::LimitKey(ClientAddress(services, request));
  if (!services.origins.IsOurHost(request.Get(Known::kHost))) {
    if (const int wait = services.limiter.Take(RateClass::kUnknownPath, limit_key); wait > 0) {
      return RateLimited("Too many requests from this address; wait as long as Retry-After says.", wait);
    }
    Error error = InvalidInput("This server does not answer for that host name. If it should, start it with "
                               "--public-origin and the address that browsers use.", "foreign host");
    return WithCode(std::move(error), "misdirected");
  }
  if (request.method == http::Method::kOptions && request.Has(Known::kOrigin) &&
      services.origins.IsCorsOrigin(request.Get(Known::kOrigin))) {
    state.cors_origin = std::string(request.Get(Known::kOrigin));
    state.preflight = true;
  }
  RouteMatch match = MatchRoute(request.method, request.path);
  state.route = match.route;
  state.parameter = match.parameter;
  const RateClass rate = match.route != nullptr ? match.route->rate : RateClass::kUnknownPath;
  if (rate != RateClass::kPrincipal) {
    if (const int wait = services.limiter.Take(state.preflight ? RateClass::kPublic : rate, limit_key); wait > 0) {
      state.refusal_event = State::RefusalEvent::kRate;
      return RateLimited("Too many requests from this address; wait as long as Retry-After says.", wait);
    }
  }
  if (state.preflight) return {};
  if (match.route == nullptr) {
    if (!match.path_known) return NotFound("There is nothing at this path.");
    state.allow = std::move(match.allow);
    return WithCode(InvalidInput("This path does not answer that method; the Allow header lists those it does."),
                    "method_not_allowed");
  }
  return CheckRoute(services, request, state, limit_key);
}
}  // namespace

Result<void> RecheckCaller(const Context& context) {
  if (context.state.caller == nullptr) return {};
  ND_ASSIGN(const std::string_view token, TokenOf(context.request, context.state.route->shape));
  ND_ASSIGN(const session::CallerPtr caller, context.services.world.sessions.Verify(token));
  return CheckRole(*context.state.route, *caller);
}

boost::asio::ip::address ClientAddress(const Services& services, const Request& request) {
  const auto trusted = [&](const boost::asio::ip::address& address) {
    for (const net::Network& network : services.config.trusted_proxies) {
      if (network.Contains(address)) return true;
    }
    return false;
  };
  boost::asio::ip::address client = net::Canonical(request.peer);
  if (!request.Has(Known::kForwardedFor) || !trusted(client)) return client;
  std::string_view list = request.Get(Known::kForwardedFor);
  // From the right: each hop was written by the one after it, and only trusted writers are believed.
  while (!list.empty() && trusted(client)) {
    const std::size_t comma = list.rfind(',');
    const std::string_view hop = TrimSpace(comma == std::string_view::npos ? list : list.substr(comma + 1));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(std::string(hop), ec);
    if (ec) break;
    client = net::Canonical(address);
  }
  return client;
}

std::string_view FindCookie(std::string_view header, std::string_view name) {
  std::string_view found;
  bool seen = false;
  while (!header.empty()) {
    const std::size_t semicolon = header.find(';');
    const std::string_view pair = TrimSpace(header.substr(0, semicolon));
    header = semicolon == std::string_view::npos ? std::string_view() : header.substr(semicolon + 1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      if (seen) return {};
      seen = true;
      found = pair.substr(name.size() + 1);
    }
  }
  return found;
}

bool IsMediaType(std::string_view header, std::string_view type) {
  const std::size_t semicolon = header.find(';');
  if (!EqualIgnoreCase(TrimSpace(header.substr(0, semicolon)), type)) return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string parameter = LowerAscii(TrimSpace(header.substr(semicolon + 1)));
  return parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

http::Admission AdmitRequest(Services& services, const Request& request) {
  auto state = std::make_unique<State>();
  http::Admission admission;
  auto checked = CheckRequest(services, request, *state);
  if (!checked.ok()) {
    state->refusal = std::move(checked).error();
  } else if (!state->preflight) {
    admission.read_body = IsMutation(request.method);
    admission.body_limit = state->route->body.limit();
  }
  state->address = ClientAddress(services, request).to_string();
  admission.state = std::move(state);
  return admission;
}

}  // namespace nd::server
