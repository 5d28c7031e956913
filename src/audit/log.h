// The audit log: one writer thread, group commit, fail closed. Format: docs/formats/audit-log.md.
//
// Thread-safe. The writer thread is the only one that touches the files; a group of records shares one write and, if
// one of them is kSync, one fdatasync. Not a queue that may drop: Append either gets its record acknowledged or failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "audit/event.h"
#include "base/clock.h"
#include "base/result.h"

namespace nd::audit {

class Disk;

// On whose behalf the log is open.
enum class Role : std::uint8_t {
  kServer,  // says when it starts and stops, and deletes files beyond the retention
  // Adds its records and nothing else: says neither, and deletes nothing, since it may not know the server's retention.
  // Touches no file before its first record.
  kCommand,
};

struct Options {
  std::string directory;              // .neuraldeck/audit
  Role role = Role::kServer;
  int retention_days = 30;
  std::uint64_t max_segment_bytes = 2ULL << 30;  // a day's file; beyond it the day continues in a numbered file
  std::uint64_t reserve_bytes = 64 * 1024;       // preallocated for the last words on a full disk
  Durability least = Durability::kWrite;         // a setting that lifts every record to kSync
  std::size_t queue_records = 65'536;            // beyond it Append fails with audit_unavailable
  std::size_t queue_bytes = 64UL << 20;          // the same, by the size of what waits
  std::chrono::milliseconds sync_interval{1000};   // kWrite records are synced within it
  std::chrono::milliseconds retry_interval{1000};  // between attempts to write again after a failure
};

// One append in flight. Lives in the caller (e.g. a coroutine frame) until delivered; linked, so nothing is allocated.
struct Ticket {
  Ticket* next = nullptr;
  // Set before delivery. On failure kUnavailable with code "audit_unavailable"; for a command also what Open may fail with.
  Result<std::uint64_t> sequence = std::uint64_t{0};
  // Called on the owner's side, by whoever the sink hands the list to.
  std::function<void(Ticket&)> done;
};

// Takes finished tickets back to where they came from, once per group. Called on the writer thread, or, for what is
// refused without waiting (queue full, log degraded, log closing), from within Append on the caller's thread, so that a
// hanging disk cannot delay a refusal. Must not block, and must take a ticket's `next` before it hands the ticket on.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Deliver(Ticket* list) = 0;
};

struct Health {
  bool degraded = false;
  std::string reason;  // for the operator
  std::uint64_t dropped_members = 0;  // data members never written, since their event's schema has no such name
};

class Log {
 public:
  // Opens or creates the directory, keeps a torn last line aside and records that, continues sequence and hash, starts
  // the writer. kConflict if another process writes here, kForbidden on bad modes, kInternal on damage it cannot name.
  // A full or failing disk is no reason not to open: the log is then degraded and heals by itself.
  // For a command all of this happens at its first record, which fails with the error if there is one, as all after it.
  static Result<std::unique_ptr<Log>> Open(Options options, const Clock& clock);
  static Result<std::unique_ptr<Log>> Open(Options options, const Clock& clock, Disk& disk);
  ~Log();  // writes what is queued, syncs, stops

  // Queues a record; `sink` gets `ticket` back when its durability is reached or failed, and both must live until then.
  // Never blocks on the disk.
  void Append(Record record, Durability durability, Ticket& ticket, Sink& sink);
  // For threads that may block (command line, tests): waits for the acknowledgement.
  Result<std::uint64_t> AppendAndWait(Record record, Durability durability);

  Health health() const;
  // Of the newest record in the files; 0 for none.
  std::uint64_t last_sequence() const;

 private:
  class Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::audit
