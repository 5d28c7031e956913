// What of users, sessions and agent tokens survives a restart. One seam, so that another store can serve several nodes.
//
// Thread-safe. Every write is one atomic act that is durable when the function returns ok; after an error nothing of it
// has happened. Writes that depend on what was read carry what they expect (an epoch, a generation) and fail with
// kConflict if it is no longer so, so that correctness never rests on a lock of one process.
// Knows no secrets: passwords arrive as Argon2id hashes, tokens as SHA-256 digests. Not a cache: the session room keeps
// its own tables and reads the store once, at start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "session/principal.h"

namespace nd::session {

struct UserRow {
  std::string id;             // canonical
  std::string password_hash;  // Argon2id, with its parameters
  Role role = Role::kViewer;
  bool disabled = false;
  std::uint64_t epoch = 0;  // grows with every change of password, role or state: sessions of an older epoch are over
  WallTime created_at{};

  bool IsActiveAdmin() const { return role == Role::kAdmin && !disabled; }
  friend bool operator==(const UserRow&, const UserRow&) = default;
};

struct SessionRow {
  std::string id;  // also names the family of its refresh tokens
  std::string user;
  std::uint64_t user_epoch = 0;
  WallTime created_at{}, authenticated_at{}, last_seen_at{};
  WallTime ends_at{};  // set once; nothing moves it
  std::string address, user_agent;
  std::uint64_t generation = 1;  // of the one live refresh token
  std::string refresh_hash;      // SHA-256 of that token, 32 bytes
  WallTime rotated_at{};         // when that generation began

  friend bool operator==(const SessionRow&, const SessionRow&) = default;
};

struct AgentTokenRow {
  std::string id;
  std::string user;
  std::string name;
  std::vector<Scope> scopes;
  std::string secret_hash;  // SHA-256, 32 bytes
  WallTime created_at{}, expires_at{};
  std::optional<WallTime> last_used_at;
};

struct SetupTokenRow {
  std::string hash;  // SHA-256, 32 bytes
  WallTime expires_at{};
};

// When something was last used, by id.
using UseTimes = std::vector<std::pair<std::string, WallTime>>;

class Store {
 public:
  virtual ~Store() = default;

  struct Contents {
    std::vector<UserRow> users;
    std::vector<SessionRow> sessions;
    std::vector<AgentTokenRow> agent_tokens;
    std::optional<SetupTokenRow> setup_token;
  };
  // Everything. kInternal if a row does not make sense.
  virtual Result<Contents> Load() = 0;

  // Remembers `value` under `name` if the name is new; returns what is remembered.
  virtual Result<std::string> RememberOnce(std::string_view name, std::string_view value) = 0;

  // --- users ---
  // kConflict if the id is taken. A setup token dies: it is for a deck without users.
  virtual Result<void> AddUser(const UserRow& user) = 0;
  // Uses the setup token up and adds the user, both or neither. kConflict if any user exists; kUnauthenticated unless
  // `setup_hash` is that of the live setup token.
  virtual Result<void> AddFirstUser(const UserRow& user, std::string_view setup_hash, WallTime now) = 0;

  enum class AgentTokens : std::uint8_t { kKeep, kDelete };
  // Replaces the row of `next.id`, whose epoch must be `expected_epoch` (kConflict; kNotFound if there is no such
  // user). If the epoch grows, the user's sessions are deleted, except `kept_session` (may be empty), which moves to
  // the new epoch and counts as authenticated at `now`. kConflict also if no active admin would be left where there was
  // one.
  virtual Result<void> ReplaceUser(const UserRow& next, std::uint64_t expected_epoch, std::string_view kept_session,
                                   AgentTokens agent_tokens, WallTime now) = 0;

  // --- sessions ---
  // Adds `session` and deletes `ended`. kConflict unless the user is active and of `session.user_epoch`.
  virtual Result<void> AddSession(const SessionRow& session, const std::vector<std::string>& ended) = 0;
  // Stores generation, refresh hash, rotation time, address and user agent of `next`. kConflict unless the stored
  // generation is the one before; kNotFound if the session is gone.
  virtual Result<void> RotateSession(const SessionRow& next) = 0;
  // Ids that are gone already do no harm.
  virtual Result<void> DeleteSessions(const std::vector<std::string>& ids) = 0;

  // --- agent tokens ---
  // kConflict unless the user is active.
  virtual Result<void> AddAgentToken(const AgentTokenRow& token) = 0;
  virtual Result<void> DeleteAgentTokens(const std::vector<std::string>& ids) = 0;

  // --- setup ---
  // Replaces an earlier one. kConflict if a user exists.
  virtual Result<void> PutSetupToken(const SetupTokenRow& token) = 0;

  // --- upkeep ---
  // Ids that are gone already do no harm.
  virtual Result<void> RecordUse(const UseTimes& sessions, const UseTimes& agent_tokens) = 0;
};

}  // namespace nd::session
