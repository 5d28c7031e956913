// The bridge from coroutines to the audit log: a record is appended, the coroutine goes on when it is acknowledged.
//
// Thread-safe. Acknowledgements of one group come back to each loop in one hop.
#pragma once

#include <atomic>
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
  // From now on Append fails at once and the log is not touched: it may be destroyed once what was appended is delivered.
  void Close() { closed_.store(true); }
  audit::Health health() const { return log_.health(); }
  std::uint64_t last_sequence() const { return log_.last_sequence(); }

 private:
  class LoopSink;
  audit::Log& log_;
  std::atomic<bool> closed_{false};
  std::vector<std::unique_ptr<LoopSink>> sinks_;
};

// A record with everything that the request itself tells: actor, session, address, request id.
audit::Record RecordOf(const Context& context, audit::Event event, std::string_view vocabulary, std::string_view action,
                       std::string target);

// An act of the sync class: the intent is durable before `act` runs, the outcome before the answer. If the intent cannot be
// written, or the caller's session has ended meanwhile, `act` does not run. `act` returns Task<Result<T>>; `describe`, if given,
// is called with the outcome's record and the value of an act that succeeded, to add what only the act could tell.
//
// If the outcome cannot be written the act has happened all the same; the caller learns audit_unavailable, and the intent
// without an outcome stands in the log for whoever asks.
template <class Act, class Describe>
auto Audited(Context& context, audit::Record record, Act act, Describe describe) -> decltype(act());
template <class Act>
auto Audited(Context& context, audit::Record record, Act act) -> decltype(act());

}  // namespace nd::server

#include "server/audit_trail_inl.h"
