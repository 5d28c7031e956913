// Reads pages of the audit log, newest first, from the files as they are on disk.
//
// Thread-safe (holds no state but the directory); blocks on the disk, so not for an event loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
};

class Reader {
 public:
  explicit Reader(std::string directory) : directory_(std::move(directory)) {}
  // kInvalidInput for a foreign cursor or limit.
  Result<Page> Read(const Query& query) const;

 private:
  std::string directory_;
};

}  // namespace nd::audit
