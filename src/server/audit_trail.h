// The bridge from coroutines to the audit log: a record is appended, the coroutine goes on when it is acknowledged.
//
// Thread-safe. Acknowledgements of one group come back to each loop in one hop.
#pragma once

#include <memory>
#include <vector>

#include "audit/log.h"
#include "net/loop.h"

namespace nd::server {

struct Context;

class AuditTrail {
 public:
  AuditTrail(audit::Log& log, std::size_t loops);
  ~AuditTrail();

  // Resumes on `loop` once the durability is reached. kUnavailable "audit_unavailable" otherwise: a caller that was about
  // to act must not.
  net::Task<Result<std::uint64_t>> Append(net::Loop& loop, audit::Record record, audit::Durability durability);
  audit::Health health() const { return log_.health(); }
  std::uint64_t last_sequence() const { return log_.last_sequence(); }

 private:
  class LoopSink;
  audit::Log& log_;
  std::vector<std::unique_ptr<LoopSink>> sinks_;
};

// A record with everything that the request itself tells: actor, session, address, request id.
audit::Record RecordOf(const Context& context, audit::Event event, std::string_view vocabulary, std::string_view action,
                       std::string target);

// An act of the sync class: the intent is durable before `act` runs, the outcome before the answer. If the intent cannot be
// written, `act` does not run. `act` returns Task<Result<T>>; `describe` may add data to the outcome.
//
// If the outcome cannot be written the act has happened all the same; the caller learns audit_unavailable, and the intent
// without an outcome stands in the log for whoever asks.
template <class Act>
auto Audited(Context& context, audit::Record record, Act act) -> decltype(act());

}  // namespace nd::server

#include "server/audit_trail_inl.h"
