// Finds where the log is to be continued, and puts aside what a crash or a failed write left behind its last record.
//
// For the one process that holds the directory's lock. Reads the end of the newest segments only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/disk.h"
#include "audit/segment.h"
#include "base/result.h"

namespace nd::audit {

struct TornNote {
  std::string file;  // the side file's name
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct Continuation {
  std::optional<Segment> segment;  // the newest; none in an empty directory
  std::uint64_t size = 0;          // of it, after the cut
  std::uint64_t sequence = 0;      // of the last record; 0 for none
  std::string hash;                // what the next record's `prev` must be
  std::vector<TornNote> torn;      // side files that no record tells of yet
};

// After it the newest segment ends with a whole record that is on the disk. Torn bytes are in a synced side file before
// they are cut off. kUnavailable if the disk is full or failing, kForbidden on files that are not private, kInternal on
// damage that no crash explains.
Result<Continuation> Recover(const std::string& directory, Disk& disk);

Result<void> SyncDirectoryOf(const std::string& directory);

// What a failed call means to the log: kUnavailable, with a detail for the operator.
Error DiskFault(std::string_view call, const std::string& path, int error_number);

}  // namespace nd::audit
