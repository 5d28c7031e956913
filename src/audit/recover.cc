#include "audit/recover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/record.h"
#include "audit/tail.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace nd::audit {

namespace {

struct Opened {
  Segment segment;
  std::string path;
  UniqueFd fd;
  Tail tail;
};

Result<Opened> OpenSegment(const std::string& directory, const Segment& segment, Disk& disk) {
  Opened opened;
  opened.segment = segment;
  opened.path = directory + "/" + segment.FileName();
  ND_TRY(RequirePrivateFile(opened.path));
  opened.fd = UniqueFd(disk.Open(opened.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0));
  if (!opened.fd) return DiskFault("open", opened.path, errno);
  // What is continued must be on the disk. After a failed sync the page cache may hold what the disk does not: written
  // back or not, the pages are dropped and the end is read from the disk.
  if (disk.DataSync(opened.fd.get()) != 0) return DiskFault("fdatasync", opened.path, errno);
  posix_fadvise(opened.fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  ND_ASSIGN(opened.tail, ReadTail(opened.fd.get(), opened.path));
  return opened;
}

// Copies what stands behind the last whole record to a side file and cuts it off.
Result<void> PutAside(const std::string& directory, Opened& opened, std::uint64_t next_sequence, Disk& disk) {
  const Tail& tail = opened.tail;
  if (tail.end == tail.size) return {};
  ND_ASSIGN(const std::string bytes, ReadAt(opened.fd.get(), tail.end, static_cast<std::size_t>(tail.size - tail.end)));
  for (int attempt = 0;; ++attempt) {
    const std::string path = directory + "/" + TornFileName(next_sequence, opened.segment.day, attempt);
    auto created = CreateFileDurably(path, bytes);
    if (!created.ok() && created.error().kind == ErrorKind::kConflict) {
      // The same bytes from an attempt that did not get to the cut will do.
      const auto present = ReadTextFile(path, kMaxTorn);
      if (!present.ok() || *present != bytes) {
        if (attempt < 9) continue;
        return Internal("too many side files like " + path);
      }
    } else if (!created.ok()) {
      return std::move(created).error();
    }
    LogWarning(fmt::format("audit: {} bytes behind the last whole record of {} were put aside in {}", bytes.size(),
                           opened.path, path));
    break;
  }
  if (disk.Truncate(opened.fd.get(), static_cast<off_t>(tail.end)) != 0) {
    return DiskFault("ftruncate", opened.path, errno);
  }
  if (disk.DataSync(opened.fd.get()) != 0) return DiskFault("fdatasync", opened.path, errno);
  return {};
}

}  // namespace

Error DiskFault(std::string_view call, const std::string& path, int error_number) {
  return Unavailable("The audit log cannot be written at the moment.",
                     fmt::format("{} {}: {}", call, path, std::strerror(error_number)));
}

Result<void> SyncDirectoryOf(const std::string& directory) {
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return DiskFault("open", directory, errno);
  if (fsync(fd.get()) != 0) return DiskFault("fsync", directory, errno);
  return {};
}

Result<Continuation> Recover(const std::string& directory, Disk& disk) {
  ND_ASSIGN(const Listing listing, ListDirectory(directory));
  Continuation found;
  found.hash = kFirstPrev;
  std::vector<Opened> opened;  // newest first, down to the first that holds a record
  for (auto segment = listing.segments.rbegin(); segment != listing.segments.rend(); ++segment) {
    ND_ASSIGN(Opened next, OpenSegment(directory, *segment, disk));
    opened.push_back(std::move(next));
    if (opened.back().tail.sequence == 0) continue;
    found.sequence = opened.back().tail.sequence;
    found.hash = opened.back().tail.hash;
    break;
  }
  for (Opened& file : opened) ND_TRY(PutAside(directory, file, found.sequence + 1, disk));
  if (!opened.empty()) {
    found.segment = opened.front().segment;
    found.size = opened.front().tail.end;
  }
  // A record that tells of a side file takes the number in the file's name, so a later number means: not yet told.
  ND_ASSIGN(const Listing after, ListDirectory(directory));
  for (const TornFile& torn : after.torn) {
    if (torn.sequence <= found.sequence) continue;
    ND_ASSIGN(const std::string bytes, ReadTextFile(directory + "/" + torn.name, kMaxTorn));
    found.torn.push_back({torn.name, bytes.size(), EncodeHex(Sha256(bytes))});
  }
  return found;
}

}  // namespace nd::audit
