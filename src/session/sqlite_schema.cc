#include "session/sqlite_schema.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace nd::session {

namespace {

// "NDdk", so that file(1) and we can tell our files from others.
constexpr const char* kSetApplicationId = "PRAGMA application_id = 1313105003";
constexpr std::string_view kApplicationId = "1313105003";

constexpr std::array kSchema = {
    R"(CREATE TABLE meta (
         name TEXT NOT NULL PRIMARY KEY,
         value TEXT NOT NULL) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE users (
         id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
         password_hash TEXT NOT NULL,
         role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer', 'auditor')),
         disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
         epoch INTEGER NOT NULL CHECK (epoch >= 0),
         created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE sessions (
         id TEXT NOT NULL PRIMARY KEY,
         user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
         user_epoch INTEGER NOT NULL,
         created_at INTEGER NOT NULL,
         authenticated_at INTEGER NOT NULL,
         last_seen_at INTEGER NOT NULL,
         ends_at INTEGER NOT NULL,
         address TEXT NOT NULL,
         user_agent TEXT NOT NULL,
         generation INTEGER NOT NULL CHECK (generation >= 1),
         refresh_hash BLOB NOT NULL CHECK (length(refresh_hash) = 32),
         rotated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID)",
    "CREATE INDEX sessions_by_user ON sessions (user)",
    R"(CREATE TABLE agent_tokens (
         id TEXT NOT NULL PRIMARY KEY,
         user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
         name TEXT NOT NULL,
         scopes TEXT NOT NULL,
         secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
         created_at INTEGER NOT NULL,
         expires_at INTEGER NOT NULL,
         last_used_at INTEGER) STRICT, WITHOUT ROWID)",
    "CREATE INDEX agent_tokens_by_user ON agent_tokens (user)",
    // At most one row: `only` has one possible value.
    R"(CREATE TABLE setup_token (
         only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
         hash BLOB NOT NULL CHECK (length(hash) = 32),
         expires_at INTEGER NOT NULL) STRICT)",
    kSetApplicationId,
    "PRAGMA user_version = 1",
};
static_assert(kSchemaVersion == 1);

Result<void> RequireSetting(Sqlite& db, const char* ask, std::string_view wanted) {
  ND_ASSIGN(const std::string value, db.Ask(ask));
  if (value != wanted) return Internal(fmt::format("deck.db: {} is \"{}\", not \"{}\"", ask, value, wanted));
  return {};
}

// Before the first access, so that no other process can come between.
Result<void> TakeForOurselves(Sqlite& db) {
  // With an exclusive lock the write-ahead index lives in our memory: there is no -shm file to leak or to share.
  ND_TRY(db.Run("PRAGMA locking_mode = EXCLUSIVE"));
  auto mode = db.Ask("PRAGMA journal_mode = WAL");
  if (!mode.ok()) {
    if (mode.error().detail.find("locked") != std::string::npos) {
      return Conflict("Another process holds this deck's store. Stop it, or let it do the work.", mode.error().detail);
    }
    if (mode.error().detail.find("not a database") != std::string::npos) {
      return Internal("deck.db is not a SQLite file: " + mode.error().detail);
    }
    return std::move(mode).error();
  }
  if (*mode != "wal") return Internal("deck.db: no write-ahead log to be had, journal mode is " + *mode);
  ND_TRY(db.Run("PRAGMA synchronous = FULL"));
  ND_TRY(RequireSetting(db, "PRAGMA synchronous", "2"));
  ND_TRY(db.Run("PRAGMA foreign_keys = ON"));
  // Deleted hashes and names do not stay behind in free pages.
  ND_TRY(db.Run("PRAGMA secure_delete = ON"));
  ND_TRY(db.Run("PRAGMA cell_size_check = ON"));
  // No files outside of the state folder, where a confined process may not write.
  ND_TRY(db.Run("PRAGMA temp_store = MEMORY"));
  return {};
}

}  // namespace

Result<void> PrepareDatabase(Sqlite& db) {
  ND_TRY(TakeForOurselves(db));
  Transaction transaction(db);
  if (auto started = transaction.Start(); !started.ok()) {
    if (started.error().detail.find("locked") == std::string::npos) return started;
    return Conflict("Another process holds this deck's store. Stop it, or let it do the work.", started.error().detail);
  }
  ND_ASSIGN(const std::string tables, db.Ask("SELECT count(*) FROM sqlite_schema"));
  ND_ASSIGN(const std::string version, db.Ask("PRAGMA user_version"));
  ND_ASSIGN(const std::string application, db.Ask("PRAGMA application_id"));
  if (tables == "0" && version == "0" && application == "0") {
    for (const char* statement : kSchema) ND_TRY(db.Run(statement));
  } else if (application != kApplicationId) {
    return Internal("deck.db is a SQLite file of another program");
  } else if (version != std::to_string(kSchemaVersion)) {
    return Internal(
        fmt::format("deck.db has schema version {}, this program knows {}: use the version of neuraldeck "
                    "that wrote it, or a newer one",
                    version, kSchemaVersion));
  }
  ND_TRY(transaction.Commit());
  ND_ASSIGN(const std::string verdict, db.Ask("PRAGMA quick_check(1)"));
  if (verdict != "ok") return Internal("deck.db is damaged; restore it from a backup");
  return {};
}

}  // namespace nd::session
