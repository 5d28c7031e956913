#include "server/deck.h"

#include <fmt/format.h>

#include "base/log.h"
#include "server/context.h"
#include "server/pipeline.h"
#include "server/problem.h"
#include "server/route.h"
#include "server/services.h"

namespace nd::server {

namespace {
OriginsConfig OriginsOf(const Config& config) {
  return {config.public_origins, config.listen_hosts, config.cors_origins, config.port, config.tls};
}

std::string CookieName(std::string_view base, const std::string& label) {
  return label.empty() ? std::string(base) : fmt::format("{}_{}", base, label);
}
}  // namespace

Services::Services(Config config_in, World world_in)
    : config(std::move(config_in)),
      world(std::move(world_in)),
      origins(OriginsOf(config)),
      headers(config),
      audit(world.audit, world.keepers.size()),
      limiter(world.clock),
      live_calls(world.clock),
      started_at(world.clock.Steady()),
      refresh_cookie(CookieName("__Host-nd_refresh", config.cookie_label)),
      csrf_cookie(CookieName("__Host-nd_csrf", config.cookie_label)) {
  world.sessions.SetEndListener([this](const std::string& id, session::CallerKind kind, session::EndReason reason) {
    live_calls.EndAll(id);
    RecordEnd(id, kind, reason);
  });
}

// The one place that records ends which no request asked for; those by logout or from the list are recorded where asked.
void Services::RecordEnd(const std::string& id, session::CallerKind kind, session::EndReason reason) {
  using session::EndReason;
  if (reason == EndReason::kLogout || reason == EndReason::kEndedByUser || reason == EndReason::kTokenRevoked) return;
  // An agent token lives on when its user's role changes; only what it has open ends.
  if (kind == session::CallerKind::kAgent && reason == EndReason::kRoleChange) return;
  audit::Record record;
  record.event = audit::Event::kSessionInvalidate;
  record.vocabulary = reason == EndReason::kExpired ? "session_expired" : "session_logout";
  record.actor = {audit::ActorKind::kSystem, "neuraldeck", std::nullopt};
  record.session = world.sessions.LogHash(id);
  record.action = "end";
  record.target = kind == session::CallerKind::kAgent ? id : record.session;
  record.data.emplace_back("reason", std::string(session::EndReasonName(reason)));
  // Waits on the worker thread that ended the session. A log that is down does not keep a session alive.
  (void)world.audit.AppendAndWait(std::move(record), audit::Durability::kWrite);
}

http::Response Services::Dress(const Context& context, http::Response response) {
  if (response.shared_fields == nullptr) response.shared_fields = &headers.api();
  if (!context.state.cors_origin.empty()) {
    response.AddField("Access-Control-Allow-Origin", context.state.cors_origin);
    response.AddField("Access-Control-Allow-Credentials", "true");
    response.AddField("Vary", "Origin");
  }
  if (context.state.route != nullptr && context.state.route->body.sensitive()) response.sensitive = true;
  Count(response.status);
  return response;
}

void Services::Count(int status) {
  if (status < 100 || status >= 600) return;
  counters.by_class[static_cast<std::size_t>(status / 100)].fetch_add(1, std::memory_order_relaxed);
}

session::Client Context::client() const {
  return {state.address, std::string(request.Get(http::Known::kUserAgent))};
}

http::Response JsonResponse(std::string body, int status) {
  http::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

class Deck::Impl {
 public:
  Impl(Config config, World world) : services_(std::move(config), std::move(world)) {}

  http::Admission Admit(const http::Request& request) { return AdmitRequest(services_, request); }

  net::Task<> Handle(http::Exchange& exchange) {
    State& state = static_cast<State&>(*exchange.state());
    Context context{exchange, exchange.request(), state, services_};
    if (state.preflight) {
      exchange.Respond(services_.Dress(context, Preflight()));
      co_return;
    }
    if (!state.refusal) state.refusal = CheckEmptyBody(context);
    if (!state.refusal && !context.request.body.empty()) {
      if (auto still = RecheckCaller(context); !still.ok()) state.refusal = std::move(still).error();
    }
    if (state.refusal) {
      co_await RecordRefusal(context);
      exchange.Respond(services_.Dress(context, Problem(context, *state.refusal)));
      co_return;
    }
    Result<Reply> reply = Reply();
    try {
      reply = co_await state.route->handler(context);
    } catch (const std::exception& exception) {
      reply = Internal(fmt::format("a handler threw: {}", exception.what()));
    }
    if (!reply.ok()) {
      exchange.Respond(services_.Dress(context, Problem(context, reply.error())));
    } else if (*reply) {
      exchange.Respond(services_.Dress(context, std::move(**reply)));
    }
  }

  void CloseAudit() { services_.audit.Close(); }

  http::Response Refuse(int status, std::string_view what, std::string_view request_id, std::string_view path) {
    Error error = InvalidInput(std::string(what));
    if (status == 408) error = WithCode(std::move(error), "invalid_request");
    if (status == 413) error = TooLarge(std::string(what));
    if (status == 431) error = WithCode(std::move(error), "headers_too_large");
    if (status == 500) error = Internal(std::string(what));
    http::Response response = ProblemResponse(error, ShapeOfPath(path), request_id);
    if (response.status != status) {
      // A status that no product error has (408, 414, 501, 505): the shape stays, the numbers follow.
      const std::string from = fmt::format("\"title\":\"{}\",\"status\":{}", http::ReasonPhrase(response.status), response.status);
      const std::string to = fmt::format("\"title\":\"{}\",\"status\":{}", http::ReasonPhrase(status), status);
      if (const auto at = response.body.find(from); at != std::string::npos) response.body.replace(at, from.size(), to);
      response.status = status;
    }
    response.shared_fields = &services_.headers.api();
    services_.Count(response.status);
    return response;
  }

 private:
  // A route without a body takes none, or an empty JSON object as some clients send it.
  static std::optional<Error> CheckEmptyBody(const Context& context) {
    if (context.state.route == nullptr || context.state.route->body.kind() != BodyRule::Kind::kNone) return std::nullopt;
    if (context.request.body.empty()) return std::nullopt;
    const auto document = ParseJson(context.request.body);
    if (!document.ok()) return document.error();
    const auto* object = document->root().if_object();
    if (object == nullptr || !object->empty()) return InvalidInput("This route takes no body; send none, or {}.");
    return std::nullopt;
  }

  static ErrorShape ShapeOf(const Context& context) {
    const ErrorShape shape =
        context.state.route != nullptr ? context.state.route->shape : ShapeOfPath(context.request.path);
    // Anthropic's SDK lists models on the same path as OpenAI's and announces itself by this header.
    const bool anthropic = shape == ErrorShape::kOpenAi && context.request.Find("anthropic-version").data() != nullptr;
    return anthropic ? ErrorShape::kAnthropic : shape;
  }

  http::Response Problem(const Context& context, const Error& error) {
    if (error.kind == ErrorKind::kInternal || !error.detail.empty()) {
      const bool ours = error.kind == ErrorKind::kInternal || error.kind == ErrorKind::kUnavailable;
      if (ours) {
        LogError(fmt::format("request {} {} {}: {} ({})", context.request.id, context.request.method_text,
                             context.state.route != nullptr ? context.state.route->pattern : "-", error.code, error.detail));
      }
    }
    http::Response response = ProblemResponse(error, ShapeOf(context), context.request.id);
    if (response.status == 405) response.AddField("Allow", context.state.allow);
    return response;
  }

  static http::Response Preflight() {
    http::Response response;
    response.status = 204;
    response.AddField("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
    response.AddField("Access-Control-Allow-Headers", "authorization, content-type, x-csrf-token");
    response.AddField("Access-Control-Max-Age", "600");
    return response;
  }

  // CSRF and rate refusals leave a record, at most 60 a minute and address so that refusals cannot be used to fill the disk;
  // /metrics counts them all. If the log is down the refusal stands all the same.
  net::Task<> RecordRefusal(Context& context) {
    using audit::Event;
    const State& state = context.state;
    if (state.refusal_event == State::RefusalEvent::kNone) co_return;
    const bool write = services_.limiter.Take(RateClass::kReport, "refusals:" + state.address) == 0;
    const std::string target(state.route != nullptr ? state.route->pattern : "-");
    audit::Record record;
    switch (state.refusal_event) {
      case State::RefusalEvent::kNone: break;
      case State::RefusalEvent::kCsrf:
        services_.counters.csrf_rejected.fetch_add(1, std::memory_order_relaxed);
        record = RecordOf(context, Event::kCsrfRejected, "malicious_csrf", "reject", target);
        record.data.emplace_back("kind", std::string(state.refusal->code));
        break;
      case State::RefusalEvent::kOrigin:
        services_.counters.csrf_rejected.fetch_add(1, std::memory_order_relaxed);
        record = RecordOf(context, Event::kCsrfRejected, "malicious_cors", "reject", target);
        record.data.emplace_back("kind", std::string("origin"));
        break;
      case State::RefusalEvent::kToken:
        record = RecordOf(context, Event::kAuthAttempt, "authn_login_fail", "verify_token", target);
        record.data.emplace_back("method", std::string("token"));
        break;
      case State::RefusalEvent::kRole:
        record = RecordOf(context, Event::kAuthAttempt, "authz_fail", "authorize", target);
        record.data.emplace_back("method", std::string("token"));
        break;
      case State::RefusalEvent::kRate:
        services_.counters.rate_limited.fetch_add(1, std::memory_order_relaxed);
        record = RecordOf(context, Event::kRateLimited, "excess_rate_limit_exceeded", "reject", target);
        record.data.emplace_back("class", std::string(RateClassName(state.route != nullptr ? state.route->rate : RateClass::kUnknownPath)));
        record.data.emplace_back("retryAfter", std::int64_t{state.refusal->retry_after_seconds});
        break;
    }
    if (!write) co_return;
    record.outcome = audit::Outcome::kDenied;
    record.reason = std::string(state.refusal->code);
    if (state.refusal_event != State::RefusalEvent::kToken && state.refusal_event != State::RefusalEvent::kRole) {
      record.data.emplace_back("method", std::string(http::MethodName(context.request.method)));
    }
    (void)co_await services_.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite);
  }

  Services services_;
};

Deck::Deck(Config config, World world) : impl_(std::make_unique<Impl>(std::move(config), std::move(world))) {}
Deck::~Deck() = default;

http::Admission Deck::Admit(const http::Request& request, net::Loop&) { return impl_->Admit(request); }
net::Task<> Deck::Handle(http::Exchange& exchange) { return impl_->Handle(exchange); }
void Deck::CloseAudit() { impl_->CloseAudit(); }
http::Response Deck::Refuse(int status, std::string_view what, std::string_view request_id, std::string_view path) {
  return impl_->Refuse(status, what, request_id, path);
}

}  // namespace nd::server
