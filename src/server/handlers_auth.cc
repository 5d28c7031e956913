// Setup, signing in and out, refresh, password, and who am I.

#include <fmt/format.h>

#include "server/handlers.h"
#include "server/offload.h"
#include "server/pipeline.h"
#include "server/services.h"

namespace nd::server {

namespace {
using audit::Event;
using session::Grant;

constexpr std::size_t kMaxPassword = 1024;  // bytes read; the session room's own rule is stricter

void AddCookie(http::Response& response, std::string_view name, std::string_view value, std::chrono::seconds max_age,
               bool script_may_read) {
  response.AddField("Set-Cookie", fmt::format("{}={}; Path=/; Max-Age={}; Secure; SameSite=Strict{}", name, value,
                                              max_age.count(), script_may_read ? "" : "; HttpOnly"));
}

void ClearCookies(const Services& services, http::Response& response) {
  AddCookie(response, services.refresh_cookie, "", std::chrono::seconds(0), false);
  AddCookie(response, services.csrf_cookie, "", std::chrono::seconds(0), true);
}

http::Response GrantResponse(const Services& services, const Grant& grant) {
  std::string body;
  JsonWriter(body)
      .BeginObject()
      .Member("token", grant.access_token)
      .Member("tokenType", "Bearer")
      .Member("expiresIn", std::int64_t{grant.expires_in.count()})
      .Member("userId", grant.caller->user())
      .Member("role", session::RoleName(grant.caller->role()))
      .Member("csrfToken", grant.csrf_token)
      .EndObject();
  http::Response response = JsonResponse(std::move(body));
  response.sensitive = true;
  AddCookie(response, services.refresh_cookie, grant.refresh_token, grant.session_left, false);
  AddCookie(response, services.csrf_cookie, grant.csrf_token, grant.session_left, true);
  return response;
}

audit::Record SessionRecord(Context& context, Event event, std::string_view vocabulary, std::string_view action,
                            const session::Caller& caller) {
  audit::Record record = RecordOf(context, event, vocabulary, action, caller.user());
  record.actor = {audit::ActorKind::kUser, caller.user(), std::nullopt};
  record.session = caller.session_hash();
  return record;
}

net::Task<Result<std::uint64_t>> Write(Context& context, audit::Record record) {
  return context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite);
}
}  // namespace

net::Task<Result<Reply>> HandleSetup(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  auto setup_token = std::make_shared<Secret>(reader.String("setupToken", 1, 256));
  const std::string user(reader.String("userId", 1, 128));
  auto password = std::make_shared<Secret>(reader.String("password", 1, kMaxPassword));
  ND_CO_TRY(reader.Finish());
  ND_CO_ASSIGN(const std::string canonical, session::CanonicalUser(user));

  Services& services = context.services;
  // Before any intent: whoever has no setup token writes no durable records, and no names, into the log.
  if (auto genuine = services.world.sessions.CheckSetup(setup_token->ExposeSecret()); !genuine.ok()) {
    if (services.limiter.Take(RateClass::kReport, "refusals:" + context.state.address) == 0) {
      audit::Record refused = RecordOf(context, Event::kAuthAttempt, "authn_login_fail", "setup", "(setup)");
      refused.outcome = audit::Outcome::kDenied;
      refused.reason = std::string(genuine.error().code);
      refused.data.emplace_back("method", std::string("setup_token"));
      (void)co_await Write(context, std::move(refused));
    }
    co_return std::move(genuine).error();
  }
  audit::Record record = RecordOf(context, Event::kUserChange, "user_created", "setup", canonical);
  record.data.emplace_back("role", std::string("admin"));
  auto act = [&]() -> net::Task<Result<session::UserInfo>> {
    session::Sessions& sessions = services.world.sessions;
    return Offload(context.loop(), services.world.password_worker, [&sessions, setup_token, canonical, password] {
      return sessions.Setup(setup_token->ExposeSecret(), canonical, password->ExposeSecret());
    });
  };
  ND_CO_ASSIGN(const session::UserInfo info, co_await Audited(context, std::move(record), act));
  std::string body;
  JsonWriter(body).BeginObject().MemberBool("success", true).Member("userId", info.id).Member("role", session::RoleName(info.role)).EndObject();
  co_return JsonResponse(std::move(body), 201);
}

net::Task<Result<Reply>> HandleSignIn(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  auto user = std::make_shared<Secret>(reader.String("userId", 1, 128));
  auto password = std::make_shared<Secret>(reader.String("password", 1, kMaxPassword));
  const auto otp = reader.OptionalString("otp", 1, 32);
  ND_CO_TRY(reader.Finish());
  (void)otp;  // accepted by the contract; no account has a second factor yet

  Services& services = context.services;
  const session::Client client = context.client();
  session::Sessions& sessions = services.world.sessions;
  // Only the name of an account that exists goes into the log: people type passwords and keys into the wrong field.
  std::string claimed = "(no such user)";
  if (sessions.IsUser(user->ExposeSecret())) claimed = *session::CanonicalUser(user->ExposeSecret());

  Result<Grant> grant = Internal("sign-in was not tried");
  if (auto free = sessions.CheckThrottle(user->ExposeSecret(), client); !free.ok()) {
    grant = std::move(free).error();
  } else {
    auto work = [&sessions, user, password, client] {
      return sessions.SignIn(user->ExposeSecret(), password->ExposeSecret(), client);
    };
    grant = co_await Offload(context.loop(), services.world.password_worker, std::move(work));
  }

  if (!grant.ok()) {
    services.counters.sign_in_failures.fetch_add(1, std::memory_order_relaxed);
    const bool throttled = grant.error().kind == ErrorKind::kRateLimited;
    audit::Record record = RecordOf(context, Event::kAuthAttempt, throttled ? "authn_login_fail_max" : "authn_login_fail",
                                    "sign_in", claimed);
    record.actor = {audit::ActorKind::kAnonymous, claimed, std::nullopt};
    record.outcome = throttled ? audit::Outcome::kDenied : audit::Outcome::kFailure;
    record.reason = std::string(grant.error().code);
    record.data.emplace_back("method", std::string("password"));
    record.data.emplace_back("throttled", throttled);
    // The sign-in fails either way; an unwritten record must not become a different answer.
    (void)co_await Write(context, std::move(record));
    co_return std::move(grant).error();
  }

  const session::Caller& caller = *grant->caller;
  audit::Record attempt = SessionRecord(context, Event::kAuthAttempt, "authn_login_success", "sign_in", caller);
  attempt.data.emplace_back("method", std::string("password"));
  audit::Record created = SessionRecord(context, Event::kSessionCreate, "session_created", "create", caller);
  auto first = co_await Write(context, std::move(attempt));
  auto second = co_await Write(context, std::move(created));
  if (!first.ok() || !second.ok()) {
    // A session that left no trace does not begin.
    auto work = [&sessions, id = caller.id()] { return sessions.EndSession(id, "", session::EndReason::kLogout); };
    (void)co_await Offload(context.loop(), services.world.store_worker, std::move(work));
    co_return first.ok() ? std::move(second).error() : std::move(first).error();
  }
  services.counters.sign_ins.fetch_add(1, std::memory_order_relaxed);
  co_return GrantResponse(services, *grant);
}

net::Task<Result<Reply>> HandleRefresh(Context& context) {
  Services& services = context.services;
  const std::string_view cookies = context.request.Get(http::Known::kCookie);
  auto token = std::make_shared<Secret>(FindCookie(cookies, services.refresh_cookie));
  if (token->empty()) {
    co_return Unauthenticated("There is no session to refresh; sign in. If you just did: browsers keep the session cookies only "
                              "on https, http://127.0.0.1 and http://localhost.", "no refresh cookie");
  }
  // Rotating without a record would leave the client with a used token: when the log is down nothing is rotated.
  if (services.audit.health().degraded) {
    co_return WithCode(Unavailable("The audit log cannot be written at the moment; the session stays as it is. Try again soon.",
                                   "audit degraded before a refresh", 5), "audit_unavailable");
  }
  const std::string header(context.request.Get(http::Known::kCsrfToken));
  const std::string cookie(FindCookie(cookies, services.csrf_cookie));
  struct Answer {
    session::CallerPtr reuse;
    Result<session::RefreshOutcome> outcome = Internal("not run");
  };
  session::Sessions& sessions = services.world.sessions;
  auto answer = std::make_shared<Answer>();
  auto work = [&sessions, token, header, cookie, client = context.client(), answer]() -> Result<void> {
    answer->outcome = sessions.Refresh(token->ExposeSecret(), header, cookie, client, &answer->reuse);
    return {};
  };
  ND_CO_TRY(co_await Offload(context.loop(), services.world.store_worker, std::move(work)));
  Result<session::RefreshOutcome>& outcome = answer->outcome;
  if (!outcome.ok()) {
    if (answer->reuse != nullptr) {
      audit::Record record = SessionRecord(context, Event::kRefreshReuse, "authn_token_reuse", "refresh", *answer->reuse);
      record.outcome = audit::Outcome::kDenied;
      record.reason = "refresh_reuse";
      (void)co_await Write(context, std::move(record));
    } else if (outcome.error().kind == ErrorKind::kForbidden) {
      services.counters.csrf_rejected.fetch_add(1, std::memory_order_relaxed);
      if (services.limiter.Take(RateClass::kReport, "refusals:" + context.state.address) == 0) {
        audit::Record record = RecordOf(context, Event::kCsrfRejected, "malicious_csrf", "reject", "/api/auth/refresh");
        record.outcome = audit::Outcome::kDenied;
        record.reason = std::string(outcome.error().code);
        (void)co_await Write(context, std::move(record));
      }
    }
    co_return std::move(outcome).error();
  }
  audit::Record record = SessionRecord(context, Event::kSessionRefresh, "session_renewed", "refresh", *outcome->grant.caller);
  ND_CO_TRY(co_await Write(context, std::move(record)));
  co_return GrantResponse(services, outcome->grant);
}

net::Task<Result<Reply>> HandleLogout(Context& context) {
  Services& services = context.services;
  session::Sessions& sessions = services.world.sessions;
  const session::CallerPtr caller = context.state.caller;
  auto work = [&sessions, caller] { return sessions.Logout(*caller); };
  ND_CO_TRY(co_await Offload(context.loop(), services.world.store_worker, std::move(work)));
  audit::Record record = SessionRecord(context, Event::kSessionInvalidate, "session_logout", "logout", *caller);
  record.data.emplace_back("reason", std::string(session::EndReasonName(session::EndReason::kLogout)));
  // The session is over; a log that is down does not change that, and the browser must forget its cookies.
  (void)co_await Write(context, std::move(record));
  http::Response response = JsonResponse(R"({"success":true})");
  ClearCookies(services, response);
  co_return response;
}

net::Task<Result<Reply>> HandlePassword(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  auto current = std::make_shared<Secret>(reader.String("currentPassword", 1, kMaxPassword));
  auto next = std::make_shared<Secret>(reader.String("newPassword", 1, kMaxPassword));
  ND_CO_TRY(reader.Finish());
  Services& services = context.services;
  const session::CallerPtr caller = context.state.caller;
  audit::Record record = RecordOf(context, Event::kUserChange, "authn_password_change", "password", caller->user());
  record.data.emplace_back("change", std::string("password"));
  auto act = [&]() -> net::Task<Result<void>> {
    session::Sessions& sessions = services.world.sessions;
    return Offload(context.loop(), services.world.password_worker, [&sessions, caller, current, next, client = context.client()] {
      return sessions.ChangePassword(*caller, current->ExposeSecret(), next->ExposeSecret(), client);
    });
  };
  ND_CO_TRY(co_await Audited(context, std::move(record), act));
  co_return JsonResponse(R"({"success":true})");
}

net::Task<Result<Reply>> HandleMe(Context& context) {
  const session::Caller& caller = context.caller();
  std::string body;
  JsonWriter(body)
      .BeginObject()
      .Member("userId", caller.user())
      .Member("role", session::RoleName(caller.role()))
      .Member("sessionId", caller.id())
      .Member("authenticatedAt", FormatRfc3339Seconds(caller.authenticated_at()))
      .Member("expiresAt", FormatRfc3339Seconds(caller.deadline()))
      .EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleCsrfToken(Context& context) {
  ND_CO_ASSIGN(const std::string token, context.services.world.sessions.IssueCsrf(context.caller()));
  std::string body;
  JsonWriter(body).BeginObject().Member("csrfToken", token).EndObject();
  http::Response response = JsonResponse(std::move(body));
  // The cookie half goes along, so that a client that lost it can go on.
  const auto left = std::chrono::floor<std::chrono::seconds>(context.caller().session_ends_at() - context.services.world.clock.Now());
  AddCookie(response, context.services.csrf_cookie, token, left, true);
  response.sensitive = true;
  co_return response;
}

}  // namespace nd::server
