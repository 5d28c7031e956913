// Setup, sign-in and password change: everything that hashes a password, one at a time.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "crypto/password.h"
#include "crypto/sha256.h"
#include "session/account.h"
#include "session/sessions_impl.h"
#include "session/store_errors.h"
#include "session/tokens.h"

namespace nd::session {

namespace {

// Long enough to open a browser, short enough that a link in a forgotten terminal is worthless.
constexpr std::chrono::minutes kSetupTokenLifetime{15};
constexpr std::size_t kSetupSecretBytes = 32;

// Hashed in place of what no account can have as password, for the same work.
constexpr std::string_view kImpossible = "impossible";

// One error for a wrong password, an unknown and a disabled user, down to the detail.
Error WrongCredentials() {
  return Unauthenticated("The user name or the password is not right. Check both and try again.");
}

// People type passwords and keys into the wrong field: what was typed as a name is wiped.
class TypedName {
 public:
  explicit TypedName(std::string_view text) : name_(CanonicalUser(text)) {}
  ~TypedName() {
    if (name_.ok()) WipeMemory(name_->data(), name_->size());
  }
  TypedName(const TypedName&) = delete;
  TypedName& operator=(const TypedName&) = delete;
  // Empty if it names no possible account.
  std::string_view text() const { return name_.ok() ? std::string_view(*name_) : std::string_view(); }

 private:
  Result<std::string> name_;
};

}  // namespace

bool Sessions::Impl::IsUser(std::string_view user) const {
  const TypedName name(user);
  return FindUser(name.text()).has_value();
}

std::optional<UserRow> Sessions::Impl::FindUser(std::string_view id) const {
  MutexLock lock(users_mutex_);
  const auto found = users_.find(id);
  return found == users_.end() ? std::nullopt : std::optional(found->second.row);
}

bool Sessions::Impl::HasUsers() const { return user_count_.load() > 0; }

Result<std::string> Sessions::Impl::Hash(std::string_view password) const {
  return HashPassword(password, cost_.operations, cost_.memory_bytes);
}

// --- first start ---

Result<std::string> Sessions::Impl::IssueSetupToken() {
  const Secret secret = RandomSecret(random_, kSetupSecretBytes);
  const SetupTokenRow row{Sha256(secret.ExposeSecret()), clock_.Now() + kSetupTokenLifetime};
  MutexLock lock(write_);
  ND_TRY(store_->PutSetupToken(row));
  MutexLock users_lock(users_mutex_);
  setup_token_ = row;
  return FormatSetupToken(secret.ExposeSecret());
}

Result<void> Sessions::Impl::CheckSetupToken(std::string_view hash) const {
  MutexLock lock(users_mutex_);
  if (!users_.empty()) return SetupIsOver();
  if (!setup_token_ || !EqualConstantTime(setup_token_->hash, hash) || clock_.Now() >= setup_token_->expires_at) {
    return SetupTokenRefused();
  }
  return {};
}

Result<void> Sessions::Impl::CheckSetup(std::string_view setup_token) const {
  const std::optional<std::string> secret = ParseSetupToken(setup_token);
  return CheckSetupToken(Sha256(secret ? *secret : std::string()));
}

Result<UserInfo> Sessions::Impl::Setup(std::string_view setup_token, std::string_view user, std::string_view password) {
  const std::optional<std::string> secret = ParseSetupToken(setup_token);
  const std::string hash = Sha256(secret ? *secret : std::string());
  // Before the hashing, so that nobody without the link makes us work; the store decides once more, in one act.
  ND_TRY(CheckSetupToken(hash));
  ND_ASSIGN(std::string name, CanonicalUser(user));
  ND_TRY(CheckNewPassword(password, name));
  MutexLock hashing(sign_in_);
  UserRow row{std::move(name), "", Role::kAdmin, false, 1, clock_.Now()};
  ND_ASSIGN(row.password_hash, Hash(password));
  MutexLock lock(write_);
  ND_TRY(store_->AddFirstUser(row, hash, clock_.Now()));
  PublishNewUser(row);
  return ToInfo(row);
}

// --- signing in ---

Result<void> Sessions::Impl::CheckThrottle(std::string_view user, const Client& client) const {
  return throttle_.Check(TypedName(user).text(), client.address);
}

Result<UserRow> Sessions::Impl::Authenticate(std::string_view user, std::string_view password, const Client& client) {
  const TypedName name(user);
  ND_TRY(throttle_.Check(name.text(), client.address));
  std::optional<UserRow> row = FindUser(name.text());
  const bool possible = !password.empty() && password.size() <= kMaxPassword;
  const bool right = VerifyPassword(row ? row->password_hash : dummy_hash_, possible ? password : kImpossible);
  if (!right || !possible || !row || row->disabled) {
    throttle_.RecordFailure(name.text(), client.address);
    return WrongCredentials();
  }
  RenewHash(*row, password);
  return *std::move(row);
}

// After the cost was changed: so that the hash at hand has the cost of the dummy, and their times do not differ.
void Sessions::Impl::RenewHash(UserRow& user, std::string_view password) {
  if (!PasswordNeedsRehash(user.password_hash, cost_.operations, cost_.memory_bytes)) return;
  auto hash = Hash(password);
  if (!hash.ok()) return;
  UserRow next = user;
  next.password_hash = *std::move(hash);
  MutexLock lock(write_);
  const auto stored = store_->ReplaceUser(next, user.epoch, "", Store::AgentTokens::kKeep, clock_.Now());
  if (!stored.ok()) {
    LogWarning("A password hash could not be renewed: " + stored.error().detail);
    return;
  }
  PublishUser(next);
  user = std::move(next);
}

Result<Grant> Sessions::Impl::StartSession(const UserRow& user, const Client& client, EndedList& ended) {
  std::vector<SessionPtr> held;
  for (const std::string& id : SessionIds(user.id)) {
    if (SessionPtr session = sessions_.Find(id)) held.push_back(std::move(session));
  }
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) {
    return std::pair(a->row.created_at, a->row.id) < std::pair(b->row.created_at, b->row.id);
  });
  std::vector<std::string> too_many;
  for (std::size_t i = 0; i + options_.max_sessions_per_user <= held.size(); ++i) too_many.push_back(held[i]->row.id);

  SessionRow row;
  row.id = RandomBase32(random_, kSessionIdSize);
  row.user = user.id;
  row.user_epoch = user.epoch;
  row.created_at = row.authenticated_at = row.last_seen_at = row.rotated_at = clock_.Now();
  row.ends_at = row.created_at + options_.session_lifetime;
  row.address = client.address;
  row.user_agent = CleanUserAgent(client.user_agent);
  row.refresh_hash = Sha256(MakeRefreshToken(refresh_key_, row.id, row.generation));
  const auto stored = store_->AddSession(row, too_many);
  // The user was changed or disabled while the password was hashed: what was proved is no longer true.
  if (!stored.ok() && stored.error().kind == ErrorKind::kConflict) return WrongCredentials();
  ND_TRY(stored);

  const std::string id = row.id;
  PublishSession(std::move(row), clock_.Steady());
  for (const std::string& old : too_many) ForgetSession(old, EndReason::kTooMany, ended);
  return MakeGrant(*sessions_.Find(id));
}

Result<Grant> Sessions::Impl::SignIn(std::string_view user, std::string_view password, const Client& client) {
  EndedList ended;
  auto grant = [&]() -> Result<Grant> {
    MutexLock hashing(sign_in_);
    ND_ASSIGN(const UserRow row, Authenticate(user, password, client));
    MutexLock lock(write_);
    auto started = StartSession(row, client, ended);
    if (started.ok()) throttle_.RecordSuccess(row.id, client.address);
    return started;
  }();
  Notify(ended);
  return grant;
}

Result<void> Sessions::Impl::ChangePassword(const Caller& caller, std::string_view current, std::string_view next,
                                            const Client& client) {
  if (caller.is_agent()) return Forbidden("An agent cannot change a password. Sign in as the user.");
  ND_TRY(CheckNewPassword(next, caller.user()));
  if (current == next) return InvalidInput("The new password is the current one. Choose another.");
  EndedList ended;
  auto changed = [&]() -> Result<void> {
    MutexLock hashing(sign_in_);
    ND_TRY(throttle_.Check(caller.user(), client.address));
    std::optional<UserRow> row = FindUser(caller.user());
    if (!row) return SessionEnded("no such user");
    if (current.empty() || current.size() > kMaxPassword || !VerifyPassword(row->password_hash, current)) {
      throttle_.RecordFailure(caller.user(), client.address);
      return Forbidden("The current password is not right. Nothing was changed.");
    }
    const std::uint64_t epoch = row->epoch++;
    ND_ASSIGN(row->password_hash, Hash(next));

    MutexLock lock(write_);
    const WallTime now = clock_.Now();
    const SessionPtr own = sessions_.Find(caller.id());
    if (own == nullptr || !own->Alive(now)) return SessionEnded("the session is over");
    ND_TRY(store_->ReplaceUser(*row, epoch, caller.id(), Store::AgentTokens::kKeep, now));
    SessionRow kept = own->row;
    kept.user_epoch = row->epoch;
    kept.authenticated_at = now;
    PublishSession(std::move(kept), own->rotated_steady);
    PublishUser(*row);
    for (const std::string& id : SessionIds(caller.user())) {
      if (id != caller.id()) ForgetSession(id, EndReason::kPasswordChange, ended);
    }
    return {};
  }();
  Notify(ended);
  return changed;
}

}  // namespace nd::session
