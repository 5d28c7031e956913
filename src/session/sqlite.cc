#include "session/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/log.h"
#include "session/store_errors.h"

namespace nd::session {

namespace {
// Names the failure without the statement or any value.
std::string Describe(sqlite3* db, int code) {
  return fmt::format("SQLite: {} (extended code {}, errno {})", sqlite3_errstr(code), sqlite3_extended_errcode(db),
                     sqlite3_system_errno(db));
}
}  // namespace

Statement::Statement(sqlite3* db, const char* sql) : db_(db) {
  Check(sqlite3_prepare_v3(db, sql, -1, 0, &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Check(int code) {
  if (code != SQLITE_OK && !failure_) failure_ = Describe(db_, code);
}

// The views live until the statement has run: SQLITE_STATIC spares the copy. A null data pointer would bind NULL.
Statement& Statement::Text(std::string_view value) {
  if (!failure_) {
    Check(sqlite3_bind_text64(statement_, next_++, value.data() != nullptr ? value.data() : "", value.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
  }
  return *this;
}

Statement& Statement::Blob(std::string_view value) {
  if (!failure_) {
    Check(sqlite3_bind_blob64(statement_, next_++, value.data() != nullptr ? value.data() : "", value.size(),
                              SQLITE_STATIC));
  }
  return *this;
}

Statement& Statement::Integer(std::int64_t value) {
  if (!failure_) Check(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

Statement& Statement::OptionalTime(const std::optional<WallTime>& value) {
  if (value) return Time(*value);
  if (!failure_) Check(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Result<bool> Statement::Step() {
  if (!failure_) {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    Check(code);
  }
  return StoreFailed(*failure_);
}

Result<std::int64_t> Statement::Run() {
  for (;;) {
    ND_ASSIGN(const bool row, Step());
    if (!row) return static_cast<std::int64_t>(sqlite3_changes64(db_));
  }
}

void Statement::Reset() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);  // repeats the error of the last step, which is known already
    sqlite3_clear_bindings(statement_);
  }
  next_ = 1;
}

std::string Statement::ColumnText(int index) const {
  const void* bytes = sqlite3_column_blob(statement_, index);
  const int size = sqlite3_column_bytes(statement_, index);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::int64_t Statement::ColumnInteger(int index) const { return sqlite3_column_int64(statement_, index); }

bool Statement::ColumnIsNull(int index) const { return sqlite3_column_type(statement_, index) == SQLITE_NULL; }

void Sqlite::Close::operator()(sqlite3* db) const {
  if (sqlite3_close(db) != SQLITE_OK) LogError("deck.db could not be closed cleanly");
}

Result<Sqlite> Sqlite::Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Sqlite db(raw);
  if (code != SQLITE_OK) return Internal(fmt::format("{}: {}", path, sqlite3_errstr(code)));

  // A database file is data, not code: no schema tricks, no extensions.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return db;
}

Result<void> Sqlite::Run(const char* sql) {
  Statement statement(get(), sql);
  ND_TRY(statement.Run());
  return {};
}

Result<std::string> Sqlite::Ask(const char* sql) {
  Statement statement(get(), sql);
  ND_ASSIGN(const bool row, statement.Step());
  if (!row) return Internal("SQLite gave no answer");
  return statement.ColumnText(0);
}

Result<void> Transaction::Start() {
  ND_TRY(db_.Run("BEGIN IMMEDIATE"));
  open_ = true;
  return {};
}

Result<void> Transaction::Commit() {
  ND_TRY(db_.Run("COMMIT"));  // a commit that failed leaves the transaction open: the destructor rolls it back
  open_ = false;
  return {};
}

Transaction::~Transaction() {
  // Some errors have rolled back already; then this fails and that is fine.
  if (open_ && sqlite3_get_autocommit(db_.get()) == 0) {
    if (!db_.Run("ROLLBACK").ok()) LogError("deck.db: a transaction could not be rolled back");
  }
}

}  // namespace nd::session
