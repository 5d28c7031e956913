// The end of a segment: where its last whole record ends, and what a crash left behind it.
//
// Reads backwards from the end, in bounded pieces; changes nothing. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "audit/record.h"
#include "base/result.h"

namespace nd::audit {

// Records this close to the end are held against each other; a crash damages only what was not yet synced.
inline constexpr std::size_t kTailWindow = 256 * 1024;
// More torn bytes than this are not what a crash leaves.
inline constexpr std::size_t kMaxTorn = 64 * 1024 * 1024;

struct Tail {
  std::uint64_t size = 0;        // of the file
  std::uint64_t end = 0;         // one past the line feed of the last whole record; what follows is torn
  std::uint64_t last_begin = 0;  // where that record begins
  std::uint64_t sequence = 0;    // of that record; 0 if the file has none
  std::string hash;              // of that record's line; empty if the file has none
};

// kInternal, naming offset and kind, for damage that is not what a crash leaves; or if the file cannot be read.
Result<Tail> ReadTail(int fd, const std::string& path);

// Reads up to `size` bytes at `offset`; fewer only at the end of the file.
Result<std::string> ReadAt(int fd, std::uint64_t offset, std::size_t size);

}  // namespace nd::audit
