// Refresh tokens: rotation, the grace for races and lost answers, and the end of a family that was replayed.
#include <algorithm>

#include "crypto/sha256.h"
#include "session/account.h"
#include "session/sessions_impl.h"
#include "session/tokens.h"

namespace nd::session {

namespace {
constexpr std::size_t kTokenIdBytes = 16;  // `jti`

std::chrono::seconds WholeSeconds(WallTime::duration time) { return std::chrono::floor<std::chrono::seconds>(time); }
}  // namespace

Grant Sessions::Impl::MakeGrant(const SessionRecord& session) const {
  const WallTime now = clock_.Now();
  Claims claims;
  claims.subject = session.row.user;
  claims.session = session.row.id;
  claims.token_id = RandomId(random_, kTokenIdBytes);
  claims.issued_at = UnixSeconds(now);
  claims.expires_at = std::min(claims.issued_at + options_.access_lifetime.count(), UnixSeconds(session.row.ends_at));

  Grant grant;
  grant.access_token = jwt_.load(std::memory_order_acquire)->Sign(claims);
  grant.refresh_token = MakeRefreshToken(refresh_key_, session.row.id, session.row.generation);
  grant.csrf_token = csrf_.Issue(session.row.id, session.row.generation, random_);
  grant.expires_in = std::chrono::seconds(claims.expires_at - claims.issued_at);
  grant.session_left = WholeSeconds(session.row.ends_at - now);
  grant.caller = MakeCaller(session, WallTime(std::chrono::seconds(claims.expires_at)));
  return grant;
}

Result<RefreshOutcome> Sessions::Impl::Rotate(const SessionPtr& session, const Client& client) {
  SessionRow next = session->row;
  if (next.generation >= kMaxGeneration) return SessionEnded("the session was refreshed too often");
  ++next.generation;
  next.refresh_hash = Sha256(MakeRefreshToken(refresh_key_, next.id, next.generation));
  next.rotated_at = next.last_seen_at = clock_.Now();
  next.address = client.address;
  next.user_agent = CleanUserAgent(client.user_agent);
  const SteadyTime steady = clock_.Steady();
  // Durable before the answer: after a crash here the client holds the token of the generation before, which the stored
  // rotation time still graces.
  ND_TRY(store_->RotateSession(next));
  const std::string id = next.id;
  PublishSession(std::move(next), steady);
  return RefreshOutcome{RefreshOutcome::Kind::kRotated, MakeGrant(*sessions_.Find(id))};
}

Result<RefreshOutcome> Sessions::Impl::Refresh(std::string_view refresh_token, std::string_view csrf_header,
                                               std::string_view csrf_cookie, const Client& client, CallerPtr* reuse) {
  const std::optional<RefreshToken> token = ParseRefreshToken(refresh_token);
  if (!token) return NotAuthenticated("not a refresh token");
  if (!IsGenuine(refresh_key_, *token)) return NotAuthenticated("the refresh token's MAC does not match");
  // Of the generation presented, however old: a replay by someone who holds both must be seen as a replay, and a
  // foreign page that makes a browser send the cookie must not be able to end a session.
  if (csrf_.Generation(token->session, csrf_header) != token->generation ||
      csrf_.Generation(token->session, csrf_cookie) != token->generation) {
    return WithCode(Forbidden("The CSRF token does not belong to the refresh token. Sign in again if this stays so."),
                    "csrf_invalid");
  }

  EndedList ended;
  auto outcome = [&]() -> Result<RefreshOutcome> {
    MutexLock lock(write_);
    const SessionPtr session = sessions_.Find(token->session);
    if (session == nullptr) return SessionEnded("no such session");
    if (clock_.Now() >= session->row.ends_at) return NotAuthenticated("the session has expired");
    if (!session->Alive(clock_.Now())) return SessionEnded("the session is over");
    const std::uint64_t current = session->row.generation;
    if (token->generation == current) {
      // The MAC says that it was ours; the hash says that it is the one the store knows.
      if (!EqualConstantTime(Sha256(refresh_token), session->row.refresh_hash)) {
        return NotAuthenticated("the refresh token is not the stored one");
      }
      return Rotate(session, client);
    }
    // More than current: the store has lost a rotation that was acknowledged (restored from a backup).
    if (token->generation > current) return NotAuthenticated("the refresh token is of a generation to come");
    if (token->generation + 1 == current && InGrace(*session)) {
      session->last_seen->Set(clock_.Now());
      return RefreshOutcome{RefreshOutcome::Kind::kGraceRepeat, MakeGrant(*session)};
    }
    // Thief and owner cannot be told apart: nobody keeps the session.
    const CallerPtr victim = MakeCaller(*session, session->row.ends_at);
    ND_TRY(EndSessions({session->row.id}, EndReason::kRefreshReuse, ended));
    if (reuse != nullptr) *reuse = victim;
    return SessionEnded("refresh_reuse");
  }();
  Notify(ended);
  return outcome;
}

}  // namespace nd::session
