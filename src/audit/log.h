// The audit log: one writer thread, group commit, fail closed. Format: docs/formats/audit-log.md.
//
// Thread-safe. The writer thread is the only one that touches the files; a group of records shares one write and, if one
// of them is kSync, one fdatasync. Not a queue that may drop: Append either gets its record acknowledged or failed.
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

struct Options {
  std::string directory;              // .neuraldeck/audit
  int retention_days = 30;
  std::uint64_t max_segment_bytes = 2ULL << 30;  // a day's file; beyond it the day continues in a numbered file
  std::uint64_t reserve_bytes = 64 * 1024;       // preallocated for the last words on a full disk
  Durability least = Durability::kWrite;         // a setting that lifts every record to kSync
  std::size_t queue_records = 65'536;            // beyond it Append fails with audit_unavailable
};

// One append in flight. Lives in the caller (e.g. a coroutine frame) until delivered; linked, so nothing is allocated.
struct Ticket {
  Ticket* next = nullptr;
  // Set before delivery. On failure kUnavailable with code "audit_unavailable".
  Result<std::uint64_t> sequence = std::uint64_t{0};
  // Called on the owner's side, by whoever the sink hands the list to.
  std::function<void(Ticket&)> done;
};

// Takes finished tickets back to where they came from, once per group. Called on the writer thread; must not block.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Deliver(Ticket* list) = 0;
};

struct Health {
  bool degraded = false;
  std::string reason;  // for the operator
};

class Log {
 public:
  // Opens or creates the directory, keeps a torn last line aside and records that, continues sequence and hash, starts
  // the writer. kConflict if another process writes here, kForbidden on bad modes, kInternal on damage it cannot name.
  static Result<std::unique_ptr<Log>> Open(Options options, const Clock& clock);
  ~Log();  // writes what is queued, syncs, stops

  // Queues a record; `sink` gets `ticket` back when its durability is reached or failed. Never blocks on the disk.
  void Append(Record record, Durability durability, Ticket& ticket, Sink& sink);
  // For threads that may block (command line, tests): waits for the acknowledgement.
  Result<std::uint64_t> AppendAndWait(Record record, Durability durability);

  Health health() const;
  std::uint64_t last_sequence() const;

 private:
  class Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::audit
