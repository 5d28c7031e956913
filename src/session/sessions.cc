#include "session/sessions.h"

#include <utility>

#include "base/text.h"
#include "crypto/init.h"
#include "crypto/password.h"
#include "session/sessions_impl.h"

namespace nd::session {

namespace {

constexpr std::size_t kMinKeySize = 32;  // bytes; the strength of HMAC-SHA-256
constexpr std::size_t kMaxDeckId = 64;
constexpr std::chrono::seconds kMaxAccessLifetime{604'800};
constexpr std::chrono::seconds kMaxSessionLifetime = std::chrono::days(366);
constexpr std::chrono::seconds kMaxRefreshGrace{60};  // a replay inside the grace goes unnoticed: keep it short
constexpr std::string_view kAudience = "neuraldeck";

Result<void> CheckKeys(const Keys& keys) {
  for (const Secret* key : {&keys.csrf, &keys.refresh, &keys.log_hash}) {
    if (key->size() < kMinKeySize) return InvalidInput("The keys of the session room need at least 32 bytes each.");
  }
  return {};
}

Result<void> CheckOptions(const Options& options) {
  using std::chrono::seconds;
  if (!IsName(options.deck_id, kMaxDeckId)) return InvalidInput("The deck id must be 1 to 64 of [A-Za-z0-9._-].");
  if (options.access_lifetime < seconds(1) || options.access_lifetime > kMaxAccessLifetime) {
    return InvalidInput("SESSION_EXPIRY must be 1 to 604800 seconds.");
  }
  if (options.session_lifetime < seconds(1) || options.session_lifetime > kMaxSessionLifetime) {
    return InvalidInput("A session must live from 1 second to 366 days.");
  }
  if (options.refresh_grace < seconds(0) || options.refresh_grace > kMaxRefreshGrace) {
    return InvalidInput("The grace for refresh tokens must be 0 to 60 seconds.");
  }
  if (options.max_sessions_per_user < 1) return InvalidInput("At least one session per user must be allowed.");
  return {};
}

Result<JwtRing> MakeRing(std::vector<SigningKey> keys, const std::string& deck_id) {
  std::vector<JwtRing::NewKey> ring;
  for (SigningKey& key : keys) ring.push_back({std::move(key.id), std::move(key.key)});
  return JwtRing::Create(std::move(ring), "neuraldeck:" + deck_id, std::string(kAudience));
}

}  // namespace

std::string_view EndReasonName(EndReason reason) {
  switch (reason) {
    case EndReason::kLogout:
      return "logout";
    case EndReason::kEndedByUser:
      return "ended_by_user";
    case EndReason::kPasswordChange:
      return "password_change";
    case EndReason::kRoleChange:
      return "role_change";
    case EndReason::kUserDisabled:
      return "user_disabled";
    case EndReason::kRefreshReuse:
      return "refresh_reuse";
    case EndReason::kExpired:
      return "expired";
    case EndReason::kTooMany:
      return "too_many";
    case EndReason::kTokenRevoked:
      return "token_revoked";
  }
  return "logout";  // not reached: every reason is above
}

Result<std::unique_ptr<Sessions>> Sessions::Open(std::unique_ptr<Store> store, Keys keys, Options options,
                                                 PasswordCost cost, const Clock& clock, Random& random) {
  ND_TRY(InitCrypto());
  ND_TRY(CheckKeys(keys));
  ND_TRY(CheckOptions(options));
  ND_ASSIGN(JwtRing jwt, MakeRing(std::move(keys.jwt), options.deck_id));
  const Secret nobody_knows = RandomSecret(random, 32);
  ND_ASSIGN(std::string dummy, HashPassword(nobody_knows.ExposeSecret(), cost.operations, cost.memory_bytes));
  auto impl = std::make_unique<Impl>(std::move(store), std::move(jwt), std::move(keys), std::move(options), cost,
                                     std::move(dummy), clock, random);
  ND_TRY(impl->Load());
  return std::unique_ptr<Sessions>(new Sessions(std::move(impl)));
}

Sessions::Sessions(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sessions::~Sessions() = default;

Result<void> Sessions::ReplaceJwtKeys(std::vector<SigningKey> keys) {
  ND_ASSIGN(JwtRing ring, MakeRing(std::move(keys), impl_->deck_id()));
  impl_->ReplaceJwt(std::move(ring));
  return {};
}

void Sessions::SetEndListener(EndListener listener) { impl_->SetEndListener(std::move(listener)); }

Result<CallerPtr> Sessions::Verify(std::string_view token) const { return impl_->Verify(token); }
Result<void> Sessions::CheckCsrf(const Caller& caller, std::string_view header, std::string_view cookie) const {
  return impl_->CheckCsrf(caller, header, cookie);
}
Result<std::string> Sessions::IssueCsrf(const Caller& caller) const { return impl_->IssueCsrf(caller); }
std::string Sessions::LogHash(std::string_view id) const { return impl_->LogHash(id); }

bool Sessions::HasUsers() const { return impl_->HasUsers(); }
bool Sessions::IsUser(std::string_view user) const { return impl_->IsUser(user); }
Result<std::string> Sessions::IssueSetupToken() { return impl_->IssueSetupToken(); }
Result<void> Sessions::CheckSetup(std::string_view setup_token) const { return impl_->CheckSetup(setup_token); }
Result<UserInfo> Sessions::Setup(std::string_view setup_token, std::string_view user, std::string_view password) {
  return impl_->Setup(setup_token, user, password);
}

Result<void> Sessions::CheckThrottle(std::string_view user, const Client& client) const {
  return impl_->CheckThrottle(user, client);
}
Result<Grant> Sessions::SignIn(std::string_view user, std::string_view password, const Client& client) {
  return impl_->SignIn(user, password, client);
}
Result<RefreshOutcome> Sessions::Refresh(std::string_view refresh_token, std::string_view csrf_header,
                                         std::string_view csrf_cookie, const Client& client, CallerPtr* reuse) {
  return impl_->Refresh(refresh_token, csrf_header, csrf_cookie, client, reuse);
}
Result<void> Sessions::Logout(const Caller& caller) {
  if (caller.is_agent()) return Forbidden("An agent token has no session to end. Revoke the token instead.");
  auto ended = impl_->EndSession(caller.id(), caller.user(), EndReason::kLogout);
  // It ended in the meantime: what was asked for is so.
  if (!ended.ok() && ended.error().kind == ErrorKind::kNotFound) return {};
  return ended;
}
Result<void> Sessions::ChangePassword(const Caller& caller, std::string_view current, std::string_view next,
                                      const Client& client) {
  return impl_->ChangePassword(caller, current, next, client);
}

std::vector<SessionInfo> Sessions::ListSessions(std::string_view user) const { return impl_->ListSessions(user); }
std::vector<SessionInfo> Sessions::ListAllSessions() const { return impl_->ListAllSessions(); }
Result<void> Sessions::EndSession(std::string_view id, std::string_view user, EndReason reason) {
  return impl_->EndSession(id, user, reason);
}
Result<std::size_t> Sessions::EndAllSessions(std::string_view user, std::string_view except_id, EndReason reason) {
  return impl_->EndAllSessions(user, except_id, reason);
}
void Sessions::Sweep() { impl_->Sweep(); }

std::vector<UserInfo> Sessions::ListUsers() const { return impl_->ListUsers(); }
Result<UserInfo> Sessions::AddUser(std::string_view user, Role role, std::string_view password) {
  return impl_->AddUser(user, role, password);
}
Result<UserInfo> Sessions::UpdateUser(std::string_view user, const UserChange& change) {
  return impl_->UpdateUser(user, change);
}
void Sessions::UnlockThrottle(std::string_view user) {
  const auto name = CanonicalUser(user);
  if (name.ok() || user.empty()) impl_->Unlock(user.empty() ? std::string_view() : std::string_view(*name));
}

std::vector<AgentTokenInfo> Sessions::ListAgentTokens(std::string_view user) const {
  return impl_->ListAgentTokens(user);
}
Result<NewAgentToken> Sessions::CreateAgentToken(std::string_view user, std::string_view name,
                                                 std::vector<Scope> scopes, std::chrono::seconds lifetime) {
  return impl_->CreateAgentToken(user, name, std::move(scopes), lifetime);
}
Result<void> Sessions::RevokeAgentToken(std::string_view id, std::string_view user) {
  return impl_->RevokeAgentToken(id, user);
}

}  // namespace nd::session
