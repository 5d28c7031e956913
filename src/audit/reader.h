// Reads pages of the audit log, newest first, from the files as they are on disk.
//
// Thread-safe (holds no state but the directory); blocks on the disk, so not for an event loop. Reads backwards in
// blocks: a page costs what the page holds, whatever the size of the log. Not a verifier: it does not check hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nd::audit {

struct Query {
  std::size_t limit = 100;            // 1 to 1000
  std::optional<std::string> cursor;  // opaque, from an earlier page's `next`
};

struct Page {
  std::vector<std::string> records;  // the lines as they stand in the file, each one JSON object, newest first
  std::optional<std::string> next;   // absent on the last page
  // Lines passed over because they are no record: damage that a verifier will name. A line without its line feed at the
  // end of a file is being written, or torn, and not counted.
  std::size_t damaged = 0;
};

// Beyond it a page ends early, with fewer records than asked for.
inline constexpr std::size_t kMaxPageBytes = 8 * 1024 * 1024;

class Reader {
 public:
  explicit Reader(std::string directory) : directory_(std::move(directory)) {}
  // kInvalidInput for a foreign cursor or limit; kForbidden or kInternal if the files cannot be read. A directory that
  // does not exist yet is an empty log. A cursor into a file that retention has deleted goes on with what is older.
  Result<Page> Read(const Query& query) const;

 private:
  std::string directory_;
};

}  // namespace nd::audit
