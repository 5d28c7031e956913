// Users, sessions and agent tokens: the session table is the truth, a token only points into it.
//
// Thread-safe. Functions marked [hot] do no I/O and are for event loops; functions marked [blocking] write the store or
// hash a password and run on worker threads. Not for HTTP: cookies, headers and status codes are the server's.
// Formats: docs/formats/tokens.md, docs/formats/deck-db.md.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "session/principal.h"
#include "session/store.h"

namespace nd::session {

struct SigningKey {
  std::string id;  // `kid`
  Secret key;      // at least 32 bytes
};

// Everything secret that the session room holds, each for one purpose.
struct Keys {
  std::vector<SigningKey> jwt;  // the first signs, all verify
  Secret csrf;                  // 32 bytes
  Secret refresh;               // 32 bytes
  Secret log_hash;              // 32 bytes: session ids in logs
};

struct Options {
  std::string deck_id;                                // names issuer and store
  std::chrono::seconds access_lifetime{86'400};       // SESSION_EXPIRY, 1 to 604800
  std::chrono::seconds session_lifetime{7 * 86'400};  // absolute; never moves
  std::chrono::seconds refresh_grace{10};
  std::size_t max_sessions_per_user = 50;  // the oldest ends when one more is made
};

// Cost of a password hash (Argon2id). Tests use the minimum; the product at least 19 MiB and t=2.
struct PasswordCost {
  std::uint64_t operations = 2;
  std::size_t memory_bytes = 19 * 1024 * 1024;
};

enum class EndReason : std::uint8_t {
  kLogout,
  kEndedByUser,  // from the list of sessions
  kPasswordChange,
  kRoleChange,
  kUserDisabled,
  kRefreshReuse,
  kExpired,
  kTooMany,
  kTokenRevoked,  // agents
};
std::string_view EndReasonName(EndReason reason);  // "logout", "ended_by_user", ...

// Where the client called from; for listing, throttling and nothing else.
struct Client {
  std::string address;     // textual, canonical; IPv6 throttles by /64
  std::string user_agent;  // at most 256 bytes are kept
};

// A session's credentials, handed out at sign-in and refresh.
struct Grant {
  std::string access_token;
  std::string refresh_token;
  std::string csrf_token;
  std::chrono::seconds expires_in{};    // access token
  std::chrono::seconds session_left{};  // cookies' Max-Age
  CallerPtr caller;
};

struct RefreshOutcome {
  enum class Kind : std::uint8_t { kRotated, kGraceRepeat } kind = Kind::kRotated;
  Grant grant;
};

struct SessionInfo {
  std::string id;
  std::string user;
  WallTime created_at{}, last_seen_at{}, ends_at{};
  std::string address, user_agent;
};

struct UserInfo {
  std::string id;
  Role role = Role::kViewer;
  bool disabled = false;
  WallTime created_at{};
};

struct AgentTokenInfo {
  std::string id;
  std::string user;
  std::string name;
  std::vector<Scope> scopes;
  WallTime created_at{}, expires_at{};
  std::optional<WallTime> last_used_at;
};

struct NewAgentToken {
  std::string token;  // "nda_<id>_<secret>", shown once
  AgentTokenInfo info;
};

class Sessions {
 public:
  // Called after a session or agent token has ended, on the thread that ended it, with no lock held: sockets and
  // commands of it end now. `id` is Caller::id().
  using EndListener = std::function<void(const std::string& id, CallerKind kind, EndReason reason)>;

  // Reads the store. kInvalidInput for keys or options out of bounds; kConflict for the store of another deck (the
  // first deck id to open a store is remembered in it). Users and agent tokens do not depend on the keys.
  static Result<std::unique_ptr<Sessions>> Open(std::unique_ptr<Store> store, Keys keys, Options options,
                                                PasswordCost cost, const Clock& clock, Random& random);
  ~Sessions();

  void SetEndListener(EndListener listener);  // before the loops start

  // From now on the first of `keys` signs, and all of them verify: how a rotated ring comes into force without a
  // restart. kInvalidInput as for Keys::jwt; the old ring stays then.
  Result<void> ReplaceJwtKeys(std::vector<SigningKey> keys);

  // --- verification -------------------------------------------------------------------------------------------------
  // [hot] A session access token (JWT) or an agent token ("nda_..."), as presented. Errors: kUnauthenticated with code
  // "unauthenticated" (bad, expired, foreign) or "session_ended" (genuine, but its session is over).
  Result<CallerPtr> Verify(std::string_view token) const;
  // [hot] Double-submit check for a mutation by a session: header and cookie must each verify for the caller's session
  // and the current or graced previous refresh generation. kForbidden with code "csrf_invalid" or "csrf_stale";
  // kUnauthenticated "session_ended" if the session ended since the caller was verified. Agents have no CSRF token and
  // are refused: do not ask for them.
  Result<void> CheckCsrf(const Caller& caller, std::string_view header, std::string_view cookie) const;
  // [hot] A CSRF token for the caller's session and current generation.
  Result<std::string> IssueCsrf(const Caller& caller) const;
  // [hot] Keyed hash for logs.
  std::string LogHash(std::string_view id) const;

  // --- first start --------------------------------------------------------------------------------------------------
  bool HasUsers() const;  // [hot]
  // [hot] In any spelling. For records, not for answers: who asks must not learn which accounts exist.
  bool IsUser(std::string_view user) const;
  // [blocking] A new single-use setup token, valid 15 minutes; earlier ones die. kConflict if a user exists.
  Result<std::string> IssueSetupToken();
  // [hot] kUnauthenticated for a wrong, used or expired setup token; kConflict if a user exists. Asked before any record of an
  // intent is written.
  Result<void> CheckSetup(std::string_view setup_token) const;
  // [blocking] Creates the first admin. kUnauthenticated for a wrong, used or expired token; kConflict if a user
  // exists.
  Result<UserInfo> Setup(std::string_view setup_token, std::string_view user, std::string_view password);

  // --- signing in and out -------------------------------------------------------------------------------------------
  // [hot] kRateLimited (with retry_after_seconds) if this account or address must wait; asked before any hashing.
  Result<void> CheckThrottle(std::string_view user, const Client& client) const;
  // [blocking] Wrong password, unknown and disabled user give one and the same kUnauthenticated error after the same
  // work. Throttling is checked and counted here too.
  Result<Grant> SignIn(std::string_view user, std::string_view password, const Client& client);
  // [blocking] `csrf_header` and `csrf_cookie` must belong to the generation of the presented refresh token.
  // kUnauthenticated "unauthenticated" (not ours, expired) or "session_ended"; a replay outside the grace ends the
  // family and fails with "session_ended" and detail "refresh_reuse"; kForbidden "csrf_invalid". `reuse` (if given)
  // receives the caller whose family was ended by a replay.
  Result<RefreshOutcome> Refresh(std::string_view refresh_token, std::string_view csrf_header,
                                 std::string_view csrf_cookie, const Client& client, CallerPtr* reuse = nullptr);
  // [blocking] Ends the caller's own session (users) or fails for agents (kForbidden). Ended already is no error.
  Result<void> Logout(const Caller& caller);
  // [blocking] Requires the current password; ends all other sessions of the user. kForbidden if it is wrong (counted
  // by the throttle as a failed sign-in: kRateLimited) or for an agent; kInvalidInput for a poor new one.
  Result<void> ChangePassword(const Caller& caller, std::string_view current, std::string_view next,
                              const Client& client);

  // --- sessions -----------------------------------------------------------------------------------------------------
  std::vector<SessionInfo> ListSessions(std::string_view user) const;  // [hot] newest first
  std::vector<SessionInfo> ListAllSessions() const;                    // [hot]
  // [blocking] `user` limits to that owner's session unless empty. kNotFound.
  Result<void> EndSession(std::string_view id, std::string_view user, EndReason reason);
  // [blocking] All of a user's sessions except `except_id` (may be empty). Returns how many ended.
  Result<std::size_t> EndAllSessions(std::string_view user, std::string_view except_id, EndReason reason);
  // [blocking] Removes expired sessions and tokens; called every minute.
  void Sweep();

  // --- administration -----------------------------------------------------------------------------------------------
  std::vector<UserInfo> ListUsers() const;                                                // [hot]
  Result<UserInfo> AddUser(std::string_view user, Role role, std::string_view password);  // [blocking]
  // [blocking] Any of role, disabled, password. Each change ends the user's sessions; disabling also revokes the agent
  // tokens for good. kNotFound; kConflict for the last active admin. What is so already changes nothing.
  struct UserChange {
    std::optional<Role> role{};
    std::optional<bool> disabled{};
    std::optional<std::string_view> password{};
  };
  Result<UserInfo> UpdateUser(std::string_view user, const UserChange& change);
  // [blocking] Forgets failed sign-ins of an account (all accounts if empty).
  void UnlockThrottle(std::string_view user);

  std::vector<AgentTokenInfo> ListAgentTokens(std::string_view user) const;  // [hot] empty user: all
  // [blocking] Lifetime 1 second to 366 days; name 1 to 64 bytes; 1 to 64 scopes.
  Result<NewAgentToken> CreateAgentToken(std::string_view user, std::string_view name, std::vector<Scope> scopes,
                                         std::chrono::seconds lifetime);
  // [blocking] kNotFound; `user` limits to that owner's tokens unless empty.
  Result<void> RevokeAgentToken(std::string_view id, std::string_view user);

 private:
  class Impl;
  explicit Sessions(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "alice" for " Alice ": trimmed, lower case; kInvalidInput unless 1 to 64 of [a-z0-9._@-] starting with a letter or
// digit.
Result<std::string> CanonicalUser(std::string_view text);

}  // namespace nd::session
