// Owns files, chain and reserve: writes groups of records, rotates, retires old files, fails closed and heals.
// Format: docs/formats/audit-log.md.
//
// Not thread-safe: after Start everything happens on the writer thread (the atomics apart). Knows no queue.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/disk.h"
#include "audit/log.h"
#include "audit/recover.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

namespace nd::audit {

// A record on its way to the disk.
struct Pending {
  std::string body;
  WallTime at{};
  Durability durability = Durability::kWrite;
  Ticket* ticket = nullptr;  // none for records of the log's own
  Sink* sink = nullptr;
};

class Writer {
 public:
  Writer(const Options& options, const Clock& clock, Disk& disk);

  // Locks the directory, recovers, writes a server's start record. Returns errors that forbid the start; a disk that takes no
  // writes is not one of them but leaves the writer degraded.
  Result<void> Start();
  // Writes `items` in order, syncs if one must be durable, and sets every ticket's sequence or error.
  void Write(std::span<Pending> items);
  // The chores of a quiet moment: the timed sync (`waited` says that its time has passed), healing, retention.
  enum class Waited : std::uint8_t { kInterrupted, kFully };
  void DoChores(Waited waited);
  // How long the thread may wait before the next chore.
  std::chrono::microseconds Patience() const;
  // A server's stop record, and the last sync.
  void Stop();

  bool degraded() const { return degraded_; }
  const std::string& reason() const { return reason_; }
  std::uint64_t last_sequence() const { return last_sequence_.load(std::memory_order_acquire); }
  // Any thread: one more record was refused because the log is degraded.
  void CountRefused() { refused_.fetch_add(1, std::memory_order_relaxed); }

 private:
  Result<void> WriteRuns(std::span<Pending> items, std::size_t& done);
  Result<void> Place(WallTime at, std::size_t line_size);
  Result<void> OpenSegment(const Segment& segment, std::uint64_t size);
  Result<void> RequireUntouched();
  Result<void> Put(std::string_view bytes);
  Result<void> Sync();
  Result<void> WriteOwn(std::span<const Record> records);

  void Degrade(const Error& error, std::size_t refused);
  Result<void> Reopen();
  void Heal();
  std::vector<Record> NotesOfRecovery();
  Result<void> EnsureReserve();
  void ReleaseReserve();

  void RetireOldFiles();
  enum class Kind : std::uint8_t { kSegment, kTorn };
  Result<void> RetireOne(const std::string& name, Kind kind);

  std::string PathOf(const std::string& name) const { return options_.directory + "/" + name; }
  Error Fault(std::string_view call, const std::string& path, int error_number);

  const Options options_;
  const Clock& clock_;
  Disk& disk_;
  std::optional<FileLock> lock_;

  // The segment in use.
  UniqueFd fd_;
  std::optional<Segment> segment_;
  std::uint64_t size_ = 0;
  bool next_number_ = false;  // go on in a new file: this one saw a failure
  bool dirty_ = false;        // bytes not yet synced
  SteadyTime dirty_since_{};
  std::string buffer_;

  // The chain as written.
  std::uint64_t sequence_ = 0;
  std::string prev_;
  std::atomic<std::uint64_t> last_sequence_{0};  // of the last group that succeeded
  std::string last_hash_;                        // of its last line; empty before the first group

  bool degraded_ = false;
  bool disk_full_ = false;
  std::string reason_;
  SteadyTime next_attempt_{};
  std::atomic<std::uint64_t> refused_{0};
  std::vector<TornNote> torn_;  // to be told in the next records of our own
  std::optional<std::pair<std::uint64_t, std::uint64_t>> lost_;  // acknowledged, never synced, gone

  // Old files were looked for on this day while this segment was in use, which is itself never retired.
  struct Retired {
    Day day{};
    std::optional<Segment> segment;
    bool operator==(const Retired&) const = default;
  };
  std::optional<Retired> retired_;
};

}  // namespace nd::audit
