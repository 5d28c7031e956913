// A thin, owning wrapper of SQLite: one connection, prepared statements, transactions that roll back by themselves.
//
// Not thread-safe: the owner locks. Not for SQL built from data: statement texts are literals, values are bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nd::session {

// A statement in use: bind in order, then step. The first failure is kept and returned by every later call.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Text(std::string_view value);
  Statement& Blob(std::string_view value);
  Statement& Integer(std::int64_t value);
  Statement& Unsigned(std::uint64_t value) { return Integer(static_cast<std::int64_t>(value)); }
  Statement& Time(WallTime value) { return Integer(value.time_since_epoch().count()); }
  Statement& OptionalTime(const std::optional<WallTime>& value);

  // True if a row is there to be read.
  Result<bool> Step();
  // Runs to the end; the number of rows it changed.
  Result<std::int64_t> Run();
  // Makes it ready to be bound and run once more.
  void Reset();

  std::string ColumnText(int index) const;
  std::int64_t ColumnInteger(int index) const;
  std::uint64_t ColumnUnsigned(int index) const { return static_cast<std::uint64_t>(ColumnInteger(index)); }
  WallTime ColumnTime(int index) const { return WallTime(std::chrono::microseconds(ColumnInteger(index))); }
  bool ColumnIsNull(int index) const;

 private:
  void Check(int code);
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
  std::optional<std::string> failure_;
};

class Sqlite {
 public:
  // Opens the file at `path`, which must exist. kConflict if another process has it.
  static Result<Sqlite> Open(const std::string& path);

  sqlite3* get() const { return db_.get(); }
  // Runs one statement without values.
  Result<void> Run(const char* sql);
  // The first column of the only row, as text.
  Result<std::string> Ask(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Sqlite(sqlite3* db) : db_(db) {}
  std::unique_ptr<sqlite3, Close> db_;
};

// BEGIN IMMEDIATE at Start, COMMIT at Commit, ROLLBACK if it dies before.
class Transaction {
 public:
  explicit Transaction(Sqlite& db) : db_(db) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Result<void> Start();
  Result<void> Commit();

 private:
  Sqlite& db_;
  bool open_ = false;
};

}  // namespace nd::session
