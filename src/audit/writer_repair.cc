// The writer's bad days: degrading, the reserve, healing; and retention.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "audit/notes.h"
#include "audit/record.h"
#include "audit/tail.h"
#include "audit/writer.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace nd::audit {

void Writer::Degrade(const Error& error, std::size_t refused) {
  const Trouble trouble = disk_full_ ? Trouble::kDiskFull : Trouble::kIoError;
  degraded_ = true;
  reason_ = error.detail;
  refused_.fetch_add(refused, std::memory_order_relaxed);
  next_attempt_ = clock_.Steady() + options_.retry_interval;
  LogError(fmt::format("audit: records are refused until the log can be written again: {}", reason_));
  // The descriptor that failed is never trusted again: the next one starts from what the disk has.
  fd_.Reset();
  dirty_ = false;
  if (trouble == Trouble::kDiskFull) ReleaseReserve();

  // The last words, if the disk takes them.
  auto said = Reopen();
  if (said.ok()) {
    std::vector<Record> notes = NotesOfRecovery();
    notes.push_back(DegradedNote(trouble, refused));
    said = WriteOwn(notes);
    if (said.ok()) torn_.clear();
  }
  if (!said.ok()) {
    fd_.Reset();
    dirty_ = false;
  }
}

void Writer::Heal() {
  next_attempt_ = clock_.Steady() + options_.retry_interval;
  auto healed = fd_ ? Result<void>() : Reopen();
  if (healed.ok()) healed = EnsureReserve();
  if (healed.ok()) {
    const std::uint64_t refused = refused_.load(std::memory_order_relaxed);
    std::vector<Record> notes = NotesOfRecovery();
    notes.push_back(HealedNote(refused, lost_.value_or(std::pair<std::uint64_t, std::uint64_t>())));
    healed = WriteOwn(notes);
    if (healed.ok()) refused_.fetch_sub(refused, std::memory_order_relaxed);
  }
  if (!healed.ok()) {
    reason_ = healed.error().detail;
    fd_.Reset();
    dirty_ = false;
    return;
  }
  degraded_ = false;
  disk_full_ = false;
  reason_.clear();
  torn_.clear();
  lost_.reset();
  LogInfo("audit: the log can be written again");
}

// Takes files and chain up from what the disk has.
Result<void> Writer::Reopen() {
  fd_.Reset();
  dirty_ = false;
  ND_ASSIGN(Continuation found, Recover(options_.directory, disk_));
  const std::uint64_t acknowledged = last_sequence();
  if (found.sequence < acknowledged) {
    // Acknowledged as written, not as durable, and the disk lost them. Their numbers are not given twice.
    if (!lost_) {
      lost_.emplace(found.sequence + 1, acknowledged);
      LogError(fmt::format("audit: records {} to {} are lost", lost_->first, lost_->second));
    }
  }
  if (found.sequence == acknowledged && !last_hash_.empty() && found.hash != last_hash_) {
    return Internal(fmt::format("record {} is not the one that was written: the log was changed by someone else",
                                acknowledged));
  }
  segment_ = found.segment;
  size_ = found.size;
  next_number_ = size_ > 0;
  sequence_ = std::max(found.sequence, acknowledged);
  prev_ = found.hash;
  last_hash_ = prev_;
  last_sequence_.store(sequence_, std::memory_order_release);
  torn_ = std::move(found.torn);
  return {};
}

std::vector<Record> Writer::NotesOfRecovery() {
  std::vector<Record> notes;
  for (const TornNote& torn : torn_) notes.push_back(TornNoteRecord(torn, segment_ ? segment_->FileName() : ""));
  return notes;
}

Result<void> Writer::EnsureReserve() {
  if (options_.reserve_bytes == 0) return {};
  const std::string path = PathOf("reserve");
  const UniqueFd fd(disk_.Open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Fault("open", path, errno);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Fault("fstat", path, errno);
  const auto wanted = static_cast<off_t>(options_.reserve_bytes);
  if (info.st_size == wanted && info.st_blocks * 512 >= wanted) return {};
  if (const int failed = disk_.Allocate(fd.get(), wanted); failed != 0) {
    unlink(path.c_str());
    return Fault("allocate", path, failed);
  }
  if (disk_.DataSync(fd.get()) != 0) return Fault("fdatasync", path, errno);
  return {};
}

void Writer::ReleaseReserve() { unlink(PathOf("reserve").c_str()); }

void Writer::RetireOldFiles() {
  if (options_.role != Role::kServer) return;
  const Day today = DayOf(clock_.Now());
  retired_ = Retired{today, segment_};
  const Day oldest = today - std::chrono::days(options_.retention_days);
  const auto listing = ListDirectory(options_.directory);
  if (!listing.ok()) return LogWarning("audit: old files were not looked for: " + listing.error().detail);
  const auto retire = [&](const std::string& name, Kind kind) {
    const auto retired = RetireOne(name, kind);
    if (!retired.ok()) LogWarning("audit: " + name + " is kept: " + retired.error().detail);
  };
  for (const TornFile& torn : listing->torn) {
    if (torn.day < oldest && !degraded_) retire(torn.name, Kind::kTorn);
  }
  for (const Segment& segment : listing->segments) {
    if (segment.day < oldest && segment < segment_ && !degraded_) retire(segment.FileName(), Kind::kSegment);
  }
}

Result<void> Writer::RetireOne(const std::string& name, Kind kind) {
  const std::string path = PathOf(name);
  Record note;
  if (kind == Kind::kSegment) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return DiskFault("open", path, errno);
    ND_ASSIGN(const Tail tail, ReadTail(fd.get(), path));
    if (tail.end != tail.size) return Internal("it does not end with a whole record");
    note = RetentionNote(name, tail.sequence, tail.size, tail.hash);
  } else {
    ND_ASSIGN(const std::string bytes, ReadTextFile(path, kMaxTorn));
    note = RetentionNote(name, 0, bytes.size(), EncodeHex(Sha256(bytes)));
  }
  if (auto written = WriteOwn({&note, 1}); !written.ok()) {
    retired_.reset();
    Degrade(written.error(), 0);
    return written;
  }
  if (unlink(path.c_str()) != 0) return DiskFault("unlink", path, errno);
  return SyncDirectoryOf(options_.directory);
}

}  // namespace nd::audit
