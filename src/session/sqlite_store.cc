#include "session/sqlite_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/files.h"
#include "base/mutex.h"
#include "session/sqlite.h"
#include "session/sqlite_schema.h"
#include "session/store_errors.h"

namespace nd::session {

namespace {

// Scopes hold no control characters (Scope::Parse), so a line each is unambiguous.
std::string JoinScopes(const std::vector<Scope>& scopes) {
  std::string text;
  for (const Scope& scope : scopes) {
    if (!text.empty()) text.push_back('\n');
    text += scope.Text();
  }
  return text;
}

Result<std::vector<Scope>> SplitScopes(std::string_view text) {
  std::vector<Scope> scopes;
  for (;;) {
    const std::size_t end = text.find('\n');
    ND_ASSIGN(Scope scope, Scope::Parse(text.substr(0, end)));
    scopes.push_back(std::move(scope));
    if (end == std::string_view::npos) return scopes;
    text.remove_prefix(end + 1);
  }
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Sqlite db) : db_(std::move(db)) {}

  Result<Contents> Load() override;
  Result<std::string> RememberOnce(std::string_view name, std::string_view value) override;
  Result<void> AddUser(const UserRow& user) override;
  Result<void> AddFirstUser(const UserRow& user, std::string_view setup_hash, WallTime now) override;
  Result<void> ReplaceUser(const UserRow& next, std::uint64_t expected_epoch, std::string_view kept_session,
                           AgentTokens agent_tokens, WallTime now) override;
  Result<void> AddSession(const SessionRow& session, const std::vector<std::string>& ended) override;
  Result<void> RotateSession(const SessionRow& next) override;
  Result<void> DeleteSessions(const std::vector<std::string>& ids) override;
  Result<void> AddAgentToken(const AgentTokenRow& token) override;
  Result<void> DeleteAgentTokens(const std::vector<std::string>& ids) override;
  Result<void> PutSetupToken(const SetupTokenRow& token) override;
  Result<void> RecordUse(const UseTimes& sessions, const UseTimes& agent_tokens) override;

 private:
  Statement Prepare(const char* sql) ND_REQUIRES(mutex_) { return Statement(db_.get(), sql); }
  Result<void> LoadUsers(Contents& contents) ND_REQUIRES(mutex_);
  Result<void> LoadSessions(Contents& contents) ND_REQUIRES(mutex_);
  Result<void> LoadAgentTokens(Contents& contents) ND_REQUIRES(mutex_);
  Result<bool> HasUsers() ND_REQUIRES(mutex_);
  Result<void> InsertUser(const UserRow& user) ND_REQUIRES(mutex_);
  Result<void> RefuseTakingTheLastAdmin(const UserRow& next) ND_REQUIRES(mutex_);
  Result<void> DeleteEach(const char* sql, const std::vector<std::string>& ids) ND_REQUIRES(mutex_);
  Result<void> RecordEach(const char* sql, const UseTimes& times) ND_REQUIRES(mutex_);

  Mutex mutex_;
  Sqlite db_ ND_GUARDED_BY(mutex_);
};

Result<Store::Contents> SqliteStore::Load() {
  MutexLock lock(mutex_);
  Contents contents;
  ND_TRY(LoadUsers(contents));
  ND_TRY(LoadSessions(contents));
  ND_TRY(LoadAgentTokens(contents));
  Statement setup = Prepare("SELECT hash, expires_at FROM setup_token");
  ND_ASSIGN(const bool row, setup.Step());
  if (row) contents.setup_token = SetupTokenRow{setup.ColumnText(0), setup.ColumnTime(1)};
  return contents;
}

Result<void> SqliteStore::LoadUsers(Contents& contents) {
  Statement query = Prepare("SELECT id, password_hash, role, disabled, epoch, created_at FROM users ORDER BY id");
  for (;;) {
    ND_ASSIGN(const bool row, query.Step());
    if (!row) return {};
    const std::optional<Role> role = RoleFromName(query.ColumnText(2));
    if (!role) return Internal("deck.db: a user has an unknown role");
    contents.users.push_back({query.ColumnText(0), query.ColumnText(1), *role, query.ColumnInteger(3) != 0,
                              query.ColumnUnsigned(4), query.ColumnTime(5)});
  }
}

Result<void> SqliteStore::LoadSessions(Contents& contents) {
  Statement query = Prepare(
      "SELECT id, user, user_epoch, created_at, authenticated_at, last_seen_at, ends_at, address, user_agent, "
      "generation, refresh_hash, rotated_at FROM sessions ORDER BY id");
  for (;;) {
    ND_ASSIGN(const bool row, query.Step());
    if (!row) return {};
    contents.sessions.push_back({query.ColumnText(0), query.ColumnText(1), query.ColumnUnsigned(2), query.ColumnTime(3),
                                 query.ColumnTime(4), query.ColumnTime(5), query.ColumnTime(6), query.ColumnText(7),
                                 query.ColumnText(8), query.ColumnUnsigned(9), query.ColumnText(10),
                                 query.ColumnTime(11)});
  }
}

Result<void> SqliteStore::LoadAgentTokens(Contents& contents) {
  Statement query = Prepare(
      "SELECT id, user, name, scopes, secret_hash, created_at, expires_at, last_used_at FROM agent_tokens ORDER BY id");
  for (;;) {
    ND_ASSIGN(const bool row, query.Step());
    if (!row) return {};
    auto scopes = SplitScopes(query.ColumnText(3));
    if (!scopes.ok()) return Internal("deck.db: an agent token has a scope that cannot be read");
    AgentTokenRow token{query.ColumnText(0), query.ColumnText(1), query.ColumnText(2), *std::move(scopes),
                        query.ColumnText(4), query.ColumnTime(5), query.ColumnTime(6), std::nullopt};
    if (!query.ColumnIsNull(7)) token.last_used_at = query.ColumnTime(7);
    contents.agent_tokens.push_back(std::move(token));
  }
}

Result<std::string> SqliteStore::RememberOnce(std::string_view name, std::string_view value) {
  MutexLock lock(mutex_);
  ND_TRY(Prepare("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING").Text(name).Text(value).Run());
  Statement query = Prepare("SELECT value FROM meta WHERE name = ?");
  ND_ASSIGN(const bool row, query.Text(name).Step());
  if (!row) return Internal("deck.db: what was just remembered is gone");
  return query.ColumnText(0);
}

Result<bool> SqliteStore::HasUsers() {
  Statement query = Prepare("SELECT 1 FROM users LIMIT 1");
  return query.Step();
}

Result<void> SqliteStore::InsertUser(const UserRow& user) {
  Statement insert = Prepare(
      "INSERT INTO users (id, password_hash, role, disabled, epoch, created_at) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT DO NOTHING");
  insert.Text(user.id).Text(user.password_hash).Text(RoleName(user.role)).Integer(user.disabled ? 1 : 0);
  ND_ASSIGN(const std::int64_t added, insert.Unsigned(user.epoch).Time(user.created_at).Run());
  if (added == 0) return UserExists();
  ND_TRY(db_.Run("DELETE FROM setup_token"));
  return {};
}

Result<void> SqliteStore::AddUser(const UserRow& user) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_TRY(InsertUser(user));
  return transaction.Commit();
}

Result<void> SqliteStore::AddFirstUser(const UserRow& user, std::string_view setup_hash, WallTime now) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_ASSIGN(const bool has_users, HasUsers());
  if (has_users) return SetupIsOver();
  Statement use_up = Prepare("DELETE FROM setup_token WHERE hash = ? AND expires_at > ?");
  ND_ASSIGN(const std::int64_t used, use_up.Blob(setup_hash).Time(now).Run());
  if (used == 0) return SetupTokenRefused();
  ND_TRY(InsertUser(user));
  return transaction.Commit();
}

Result<void> SqliteStore::RefuseTakingTheLastAdmin(const UserRow& next) {
  if (next.IsActiveAdmin()) return {};
  Statement query = Prepare(
      "SELECT (SELECT count(*) FROM users WHERE id = ? AND role = 'admin' AND disabled = 0), "
      "(SELECT count(*) FROM users WHERE id <> ? AND role = 'admin' AND disabled = 0)");
  ND_ASSIGN(const bool row, query.Text(next.id).Text(next.id).Step());
  if (row && query.ColumnInteger(0) == 1 && query.ColumnInteger(1) == 0) return LastAdmin();
  return {};
}

Result<void> SqliteStore::ReplaceUser(const UserRow& next, std::uint64_t expected_epoch, std::string_view kept_session,
                                      AgentTokens agent_tokens, WallTime now) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  {
    Statement query = Prepare("SELECT epoch FROM users WHERE id = ?");
    ND_ASSIGN(const bool row, query.Text(next.id).Step());
    if (!row) return NoSuchUser();
    if (query.ColumnUnsigned(0) != expected_epoch) return ChangedMeanwhile();
  }
  ND_TRY(RefuseTakingTheLastAdmin(next));
  Statement update = Prepare("UPDATE users SET password_hash = ?, role = ?, disabled = ?, epoch = ? WHERE id = ?");
  update.Text(next.password_hash).Text(RoleName(next.role)).Integer(next.disabled ? 1 : 0);
  ND_TRY(update.Unsigned(next.epoch).Text(next.id).Run());
  if (next.epoch != expected_epoch) {
    ND_TRY(Prepare("DELETE FROM sessions WHERE user = ? AND id <> ?").Text(next.id).Text(kept_session).Run());
    Statement keep = Prepare("UPDATE sessions SET user_epoch = ?, authenticated_at = ? WHERE user = ?");
    ND_TRY(keep.Unsigned(next.epoch).Time(now).Text(next.id).Run());
  }
  if (agent_tokens == AgentTokens::kDelete) {
    ND_TRY(Prepare("DELETE FROM agent_tokens WHERE user = ?").Text(next.id).Run());
  }
  return transaction.Commit();
}

Result<void> SqliteStore::AddSession(const SessionRow& session, const std::vector<std::string>& ended) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  Statement insert = Prepare(
      "INSERT INTO sessions (id, user, user_epoch, created_at, authenticated_at, last_seen_at, ends_at, address, "
      "user_agent, generation, refresh_hash, rotated_at) SELECT ?, id, epoch, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM users "
      "WHERE id = ? AND epoch = ? AND disabled = 0 ON CONFLICT DO NOTHING");
  insert.Text(session.id).Time(session.created_at).Time(session.authenticated_at).Time(session.last_seen_at);
  insert.Time(session.ends_at).Text(session.address).Text(session.user_agent).Unsigned(session.generation);
  insert.Blob(session.refresh_hash).Time(session.rotated_at).Text(session.user).Unsigned(session.user_epoch);
  ND_ASSIGN(const std::int64_t added, insert.Run());
  if (added == 0) return ChangedMeanwhile();
  ND_TRY(DeleteEach("DELETE FROM sessions WHERE id = ?", ended));
  return transaction.Commit();
}

Result<void> SqliteStore::RotateSession(const SessionRow& next) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  Statement update = Prepare(
      "UPDATE sessions SET generation = ?, refresh_hash = ?, rotated_at = ?, address = ?, user_agent = ?, "
      "last_seen_at = ? WHERE id = ? AND generation = ?");
  update.Unsigned(next.generation).Blob(next.refresh_hash).Time(next.rotated_at).Text(next.address);
  update.Text(next.user_agent).Time(next.last_seen_at).Text(next.id).Unsigned(next.generation - 1);
  ND_ASSIGN(const std::int64_t changed, update.Run());
  if (changed == 0) {
    Statement query = Prepare("SELECT 1 FROM sessions WHERE id = ?");
    ND_ASSIGN(const bool exists, query.Text(next.id).Step());
    return exists ? ChangedMeanwhile() : NoSuchSession();
  }
  return transaction.Commit();
}

Result<void> SqliteStore::DeleteEach(const char* sql, const std::vector<std::string>& ids) {
  Statement remove = Prepare(sql);
  for (const std::string& id : ids) {
    ND_TRY(remove.Text(id).Run());
    remove.Reset();
  }
  return {};
}

Result<void> SqliteStore::RecordEach(const char* sql, const UseTimes& times) {
  Statement update = Prepare(sql);
  for (const auto& [id, time] : times) {
    ND_TRY(update.Time(time).Text(id).Run());
    update.Reset();
  }
  return {};
}

Result<void> SqliteStore::DeleteSessions(const std::vector<std::string>& ids) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_TRY(DeleteEach("DELETE FROM sessions WHERE id = ?", ids));
  return transaction.Commit();
}

Result<void> SqliteStore::AddAgentToken(const AgentTokenRow& token) {
  MutexLock lock(mutex_);
  Statement insert = Prepare(
      "INSERT INTO agent_tokens (id, user, name, scopes, secret_hash, created_at, expires_at, last_used_at) "
      "SELECT ?, id, ?, ?, ?, ?, ?, ? FROM users WHERE id = ? AND disabled = 0 ON CONFLICT DO NOTHING");
  const std::string scopes = JoinScopes(token.scopes);
  insert.Text(token.id).Text(token.name).Text(scopes).Blob(token.secret_hash).Time(token.created_at);
  ND_ASSIGN(const std::int64_t added,
            insert.Time(token.expires_at).OptionalTime(token.last_used_at).Text(token.user).Run());
  if (added == 0) return ChangedMeanwhile();
  return {};
}

Result<void> SqliteStore::DeleteAgentTokens(const std::vector<std::string>& ids) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_TRY(DeleteEach("DELETE FROM agent_tokens WHERE id = ?", ids));
  return transaction.Commit();
}

Result<void> SqliteStore::PutSetupToken(const SetupTokenRow& token) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_ASSIGN(const bool has_users, HasUsers());
  if (has_users) return SetupIsOver();
  Statement put = Prepare("INSERT OR REPLACE INTO setup_token (only, hash, expires_at) VALUES (1, ?, ?)");
  ND_TRY(put.Blob(token.hash).Time(token.expires_at).Run());
  return transaction.Commit();
}

Result<void> SqliteStore::RecordUse(const UseTimes& sessions, const UseTimes& agent_tokens) {
  MutexLock lock(mutex_);
  Transaction transaction(db_);
  ND_TRY(transaction.Start());
  ND_TRY(RecordEach("UPDATE sessions SET last_seen_at = ? WHERE id = ?", sessions));
  ND_TRY(RecordEach("UPDATE agent_tokens SET last_used_at = ? WHERE id = ?", agent_tokens));
  return transaction.Commit();
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path) {
  if (auto made = CreateFileDurably(path, ""); !made.ok() && made.error().kind != ErrorKind::kConflict) {
    return std::move(made).error().At("deck.db");
  }
  // SQLite gives the mode of the main file to the files beside it; one left by hand must be private as well.
  ND_TRY(RequirePrivateFile(path));
  for (const char* suffix : std::array{"-wal", "-journal", "-shm"}) {
    const std::string beside = path + suffix;
    if (::access(beside.c_str(), F_OK) == 0) ND_TRY(RequirePrivateFile(beside));
  }
  ND_ASSIGN(Sqlite db, Sqlite::Open(path));
  ND_TRY(PrepareDatabase(db));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(db)));
}

}  // namespace nd::session
