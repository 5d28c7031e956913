// The hot path: what a token, or a CSRF token, proves right now.
#include <algorithm>

#include "base/text.h"
#include "crypto/sha256.h"
#include "session/sessions_impl.h"
#include "session/tokens.h"

namespace nd::session {

namespace {
constexpr std::size_t kLogHashBytes = 12;  // 16 characters: enough that two sessions of one log never collide

Error CsrfInvalid(std::string detail) {
  return WithCode(
      Forbidden("The CSRF token is missing or not valid. Fetch a new one from /api/auth/csrf-token and send "
                "it in X-CSRF-Token.",
                std::move(detail)),
      "csrf_invalid");
}
Error CsrfStale() {
  return WithCode(Forbidden("The CSRF token is from before the last refresh. Read the cookie again and retry once."),
                  "csrf_stale");
}
}  // namespace

Error NotAuthenticated(std::string detail) {
  return Unauthenticated("The token is not valid or has expired. Sign in again.", std::move(detail));
}

Error SessionEnded(std::string detail) {
  return WithCode(Unauthenticated("This session has ended. Sign in again.", std::move(detail)), "session_ended");
}

std::string Sessions::Impl::LogHash(std::string_view id) const {
  const std::array<char, 32> mac = log_hash_key_.Sign(id);
  return "k" + EncodeBase64Url({mac.data(), kLogHashBytes});
}

CallerPtr Sessions::Impl::MakeCaller(const SessionRecord& session, WallTime token_ends) const {
  std::shared_ptr<Caller> caller(new Caller());
  caller->kind_ = CallerKind::kUser;
  caller->user_ = session.row.user;
  caller->role_ = session.user->role.load();
  caller->id_ = session.row.id;
  caller->session_hash_ = session.log_hash;
  caller->authenticated_at_ = session.row.authenticated_at;
  caller->deadline_ = std::min(token_ends, session.row.ends_at);
  caller->session_ends_at_ = session.row.ends_at;
  return caller;
}

CallerPtr Sessions::Impl::MakeCaller(const AgentRecord& agent) const {
  std::shared_ptr<Caller> caller(new Caller());
  caller->kind_ = CallerKind::kAgent;
  caller->user_ = agent.row.user;
  caller->role_ = agent.user->role.load();
  caller->id_ = agent.row.id;
  caller->session_hash_ = agent.log_hash;
  caller->scopes_ = agent.row.scopes;
  caller->deadline_ = agent.row.expires_at;
  caller->session_ends_at_ = agent.row.expires_at;
  return caller;
}

Result<CallerPtr> Sessions::Impl::Verify(std::string_view token) const {
  return token.starts_with(kAgentTokenPrefix) ? VerifyAgent(token) : VerifySession(token);
}

Result<CallerPtr> Sessions::Impl::VerifySession(std::string_view token) const {
  const WallTime now = clock_.Now();
  ND_ASSIGN(const VerifiedToken verified, jwt_.load(std::memory_order_acquire)->Verify(token, now));
  const Claims& claims = verified.claims();
  const SessionPtr session = sessions_.Find(claims.session);
  if (session == nullptr) return SessionEnded("no such session");
  if (session->row.user != claims.subject) return NotAuthenticated("the subject is not the session's user");
  if (!session->Alive(now)) return SessionEnded("the session is over");
  session->last_seen->Set(now);
  return MakeCaller(*session, WallTime(std::chrono::seconds(claims.expires_at)));
}

Result<CallerPtr> Sessions::Impl::VerifyAgent(std::string_view token) const {
  const std::optional<AgentToken> parsed = ParseAgentToken(token);
  if (!parsed) return NotAuthenticated("not an agent token");
  const AgentPtr agent = agents_.Find(parsed->id);
  if (agent == nullptr) return NotAuthenticated("no such agent token");
  if (!EqualConstantTime(Sha256(parsed->secret), agent->row.secret_hash)) {
    return NotAuthenticated("the agent token's secret is wrong");
  }
  const WallTime now = clock_.Now();
  if (now >= agent->row.expires_at) return NotAuthenticated("the agent token has expired");
  if (agent->user->disabled.load()) return SessionEnded("the agent's user is disabled");
  agent->last_used->Set(now);
  return MakeCaller(*agent);
}

bool Sessions::Impl::InGrace(const SessionRecord& session) const {
  if (session.rotated_steady) return clock_.Steady() - *session.rotated_steady <= options_.refresh_grace;
  // A clock that was set back behind the rotation proves nothing: no grace.
  const auto age = clock_.Now() - session.row.rotated_at;
  return age >= age.zero() && age <= options_.refresh_grace;
}

Result<void> Sessions::Impl::CheckCsrf(const Caller& caller, std::string_view header, std::string_view cookie) const {
  if (caller.is_agent()) return CsrfInvalid("agents have no CSRF token");
  const SessionPtr session = sessions_.Find(caller.id());
  if (session == nullptr || !session->Alive(clock_.Now())) return SessionEnded("the session is over");
  const std::optional<std::uint64_t> from_header = csrf_.Generation(caller.id(), header);
  if (!from_header) return CsrfInvalid("header");
  // The same text proves the same: the usual case costs one MAC.
  const std::optional<std::uint64_t> from_cookie =
      header == cookie ? from_header : csrf_.Generation(caller.id(), cookie);
  if (!from_cookie) return CsrfInvalid("cookie");

  const std::uint64_t current = session->row.generation;
  const bool grace = InGrace(*session);
  for (const std::uint64_t generation : {*from_header, *from_cookie}) {
    if (generation > current) return CsrfInvalid("of a generation to come");
    if (generation != current && !(grace && generation + 1 == current)) return CsrfStale();
  }
  return {};
}

Result<std::string> Sessions::Impl::IssueCsrf(const Caller& caller) const {
  if (caller.is_agent()) return Forbidden("An agent token needs no CSRF token.");
  const SessionPtr session = sessions_.Find(caller.id());
  if (session == nullptr || !session->Alive(clock_.Now())) return SessionEnded("the session is over");
  return csrf_.Issue(session->row.id, session->row.generation, random_);
}

}  // namespace nd::session
