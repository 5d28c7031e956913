// The store of one node: one SQLite file (docs/formats/deck-db.md), write-ahead log, synchronous=FULL.
#pragma once

#include <memory>
#include <string>

#include "session/store.h"

namespace nd::session {

// Opens `path`, making it (mode 0600) if it is not there; the directory must exist. The file is held until the store
// dies. kConflict if another process holds it; kForbidden if others could read or write it, naming the chmod to run;
// kInternal if it is damaged, not ours, or made by a newer version.
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path);

}  // namespace nd::session
