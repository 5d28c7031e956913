// The tables of deck.db and how a file becomes one (docs/formats/deck-db.md).
#pragma once

#include "base/result.h"
#include "session/sqlite.h"

namespace nd::session {

inline constexpr int kSchemaVersion = 1;  // PRAGMA user_version

// Takes the file for this process alone, sets durability, checks it, and makes the tables if the file is new.
Result<void> PrepareDatabase(Sqlite& db);

}  // namespace nd::session
