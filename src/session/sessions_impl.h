// The inside of Sessions, shared by the files that implement it, a subject each: verify.cc, sign_in.cc, refresh.cc,
// users.cc, agents.cc, sessions.cc.
//
// Locks, in the order in which they may be taken: sign_in_ (one password hash at a time), write_ (one change at a time:
// first the store, then memory, so that the two agree after every failure), users_mutex_, and last the tables' own.
// The end listener is called with none of them held.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "crypto/hmac.h"
#include "session/csrf.h"
#include "session/jwt.h"
#include "session/records.h"
#include "session/sessions.h"
#include "session/throttle.h"

namespace nd::session {

class Sessions::Impl {
 public:
  Impl(std::unique_ptr<Store> store, JwtRing jwt, Keys keys, Options options, PasswordCost cost, std::string dummy_hash,
       const Clock& clock, Random& random);

  Result<void> Load() ND_EXCLUDES(write_);

  // The same names and contracts as in Sessions.
  Result<CallerPtr> Verify(std::string_view token) const;
  Result<void> CheckCsrf(const Caller& caller, std::string_view header, std::string_view cookie) const;
  Result<std::string> IssueCsrf(const Caller& caller) const;
  std::string LogHash(std::string_view id) const;

  bool HasUsers() const;
  bool IsUser(std::string_view user) const;
  Result<void> CheckSetup(std::string_view setup_token) const;
  Result<std::string> IssueSetupToken();
  Result<UserInfo> Setup(std::string_view setup_token, std::string_view user, std::string_view password);

  Result<void> CheckThrottle(std::string_view user, const Client& client) const;
  Result<Grant> SignIn(std::string_view user, std::string_view password, const Client& client);
  Result<RefreshOutcome> Refresh(std::string_view refresh_token, std::string_view csrf_header,
                                 std::string_view csrf_cookie, const Client& client, CallerPtr* reuse);
  Result<void> ChangePassword(const Caller& caller, std::string_view current, std::string_view next,
                              const Client& client);

  std::vector<SessionInfo> ListSessions(std::string_view user) const;
  std::vector<SessionInfo> ListAllSessions() const;
  Result<void> EndSession(std::string_view id, std::string_view user, EndReason reason);
  Result<std::size_t> EndAllSessions(std::string_view user, std::string_view except_id, EndReason reason);
  void Sweep();

  std::vector<UserInfo> ListUsers() const;
  Result<UserInfo> AddUser(std::string_view user, Role role, std::string_view password);
  Result<UserInfo> UpdateUser(std::string_view user, const UserChange& change);

  std::vector<AgentTokenInfo> ListAgentTokens(std::string_view user) const;
  Result<NewAgentToken> CreateAgentToken(std::string_view user, std::string_view name, std::vector<Scope> scopes,
                                         std::chrono::seconds lifetime);
  Result<void> RevokeAgentToken(std::string_view id, std::string_view user);

  void Unlock(std::string_view user) { throttle_.Unlock(user); }
  void ReplaceJwt(JwtRing ring);
  const std::string& deck_id() const { return options_.deck_id; }
  void SetEndListener(EndListener listener) { end_listener_ = std::move(listener); }

 private:
  struct User {
    UserRow row;
    std::shared_ptr<LiveUser> live;
    std::set<std::string> sessions, agent_tokens;  // ids in the tables
  };
  struct Ended {
    std::string id;
    CallerKind kind;
    EndReason reason;
  };
  using EndedList = std::vector<Ended>;
  using SessionPtr = RecordTable<SessionRecord>::Ptr;
  using AgentPtr = RecordTable<AgentRecord>::Ptr;

  // --- verify.cc ---
  Result<CallerPtr> VerifySession(std::string_view token) const;
  Result<CallerPtr> VerifyAgent(std::string_view token) const;
  CallerPtr MakeCaller(const SessionRecord& session, WallTime token_ends) const;
  CallerPtr MakeCaller(const AgentRecord& agent) const;
  // Steady time decides while the process that rotated still runs, the stored wall time after a restart.
  bool InGrace(const SessionRecord& session) const;

  // --- refresh.cc ---
  // Access token, CSRF token and the refresh token of the session's current generation.
  Grant MakeGrant(const SessionRecord& session) const;
  Result<RefreshOutcome> Rotate(const SessionPtr& session, const Client& client) ND_REQUIRES(write_);

  // --- sign_in.cc ---
  std::optional<UserRow> FindUser(std::string_view id) const;  // by canonical id
  // kConflict if the deck is set up, kUnauthenticated if `hash` is not that of the live setup token.
  Result<void> CheckSetupToken(std::string_view hash) const;
  // After a password hash, whose result it is not to tell from outside.
  Result<UserRow> Authenticate(std::string_view user, std::string_view password, const Client& client)
      ND_REQUIRES(sign_in_);
  Result<Grant> StartSession(const UserRow& user, const Client& client, EndedList& ended) ND_REQUIRES(write_);
  void RenewHash(UserRow& user, std::string_view password) ND_REQUIRES(sign_in_);
  Result<std::string> Hash(std::string_view password) const;

  // --- memory, after the store has agreed ---
  void PublishUser(const UserRow& row) ND_REQUIRES(write_);
  void PublishNewUser(const UserRow& row) ND_REQUIRES(write_);  // the setup token dies
  void PublishSession(SessionRow row, std::optional<SteadyTime> rotated_steady) ND_REQUIRES(write_);
  void PublishAgent(AgentTokenRow row) ND_REQUIRES(write_);
  void ForgetSession(const std::string& id, EndReason reason, EndedList& ended) ND_REQUIRES(write_);
  void ForgetAgent(const std::string& id, EndReason reason, EndedList& ended) ND_REQUIRES(write_);
  std::vector<std::string> SessionIds(std::string_view user) const;
  std::vector<std::string> AgentIds(std::string_view user) const;
  // Ends the sessions `ids` in store and memory.
  Result<void> EndSessions(const std::vector<std::string>& ids, EndReason reason, EndedList& ended) ND_REQUIRES(write_);
  void SweepExpired(WallTime now, EndedList& ended) ND_REQUIRES(write_);
  void StoreUseTimes() ND_REQUIRES(write_);
  void Notify(const EndedList& ended) const ND_EXCLUDES(write_, users_mutex_, sign_in_);

  const std::unique_ptr<Store> store_;
  // Every ring that was ever in force: a verification may be using any of them, and rotations are few.
  Mutex jwt_mutex_;
  std::vector<std::unique_ptr<const JwtRing>> jwt_rings_ ND_GUARDED_BY(jwt_mutex_);
  std::atomic<const JwtRing*> jwt_;  // the last one
  const CsrfTokens csrf_;
  const HmacSha256Key refresh_key_;
  const HmacSha256Key log_hash_key_;
  const Options options_;
  const PasswordCost cost_;
  const std::string dummy_hash_;  // of a password that nobody knows
  const Clock& clock_;
  Random& random_;
  EndListener end_listener_;
  Throttle throttle_;

  Mutex sign_in_;
  Mutex write_;
  mutable Mutex users_mutex_;
  std::map<std::string, User, std::less<>> users_ ND_GUARDED_BY(users_mutex_);
  std::atomic<std::size_t> user_count_{0};
  RecordTable<SessionRecord> sessions_;
  RecordTable<AgentRecord> agents_;
  std::optional<SetupTokenRow> setup_token_ ND_GUARDED_BY(users_mutex_);
};

SessionInfo ToInfo(const SessionRecord& session);
AgentTokenInfo ToInfo(const AgentRecord& agent);
UserInfo ToInfo(const UserRow& user);

// Not ours, expired, malformed; `detail` says which.
Error NotAuthenticated(std::string detail);
// Genuine, but over.
Error SessionEnded(std::string detail);

}  // namespace nd::session
