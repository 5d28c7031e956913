#include "server/audit_trail.h"

#include "server/context.h"
#include "server/services.h"

namespace nd::server {

// Brings finished tickets back to their loop, a group in one post.
class AuditTrail::LoopSink final : public audit::Sink {
 public:
  void Deliver(audit::Ticket* list) override {
    net::Loop* loop = static_cast<Pending*>(list)->loop;
    loop->Post([list] {
      for (audit::Ticket* ticket = list; ticket != nullptr;) {
        audit::Ticket* next = ticket->next;
        ticket->done(*ticket);
        ticket = next;
      }
    });
  }

  // Owns itself between Append and delivery, so that a coroutine may die while its record is under way.
  struct Pending final : audit::Ticket {
    net::Loop* loop = nullptr;
  };
};

AuditTrail::AuditTrail(audit::Log& log, std::size_t loops) : log_(log) {
  for (std::size_t i = 0; i < loops; ++i) sinks_.push_back(std::make_unique<LoopSink>());
}

AuditTrail::~AuditTrail() = default;

net::Task<Result<std::uint64_t>> AuditTrail::Append(net::Loop& loop, audit::Record record, audit::Durability durability) {
  if (closed_.load()) {
    co_return WithCode(Unavailable("The server is stopping; nothing was done.", "the audit log is closed"), "audit_unavailable");
  }
  auto start = [this, &loop, durability](auto handler, audit::Record what) {
    auto pending = std::make_unique<LoopSink::Pending>();
    pending->loop = &loop;
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    pending->done = [shared](audit::Ticket& ticket) {
      const std::unique_ptr<LoopSink::Pending> owner(static_cast<LoopSink::Pending*>(&ticket));
      auto resume = std::move(*shared);
      std::move(resume)(std::move(owner->sequence));
    };
    log_.Append(std::move(what), durability, *pending.release(), *sinks_[loop.index()]);
  };
  co_return co_await net::asio::async_initiate<decltype(net::kAwait), void(Result<std::uint64_t>)>(
      start, net::kAwait, std::move(record));
}

audit::Record RecordOf(const Context& context, audit::Event event, std::string_view vocabulary, std::string_view action,
                       std::string target) {
  audit::Record record;
  record.event = event;
  record.vocabulary = vocabulary;
  record.action = action;
  record.target = std::move(target);
  record.address = context.state.address;
  record.request_id = context.request.id;
  if (context.state.caller != nullptr) {
    const session::Caller& caller = *context.state.caller;
    record.session = caller.session_hash();
    if (caller.is_agent()) {
      record.actor = {audit::ActorKind::kAgent, caller.id(), caller.user()};
    } else {
      record.actor = {audit::ActorKind::kUser, caller.user(), std::nullopt};
    }
  } else {
    record.actor = {audit::ActorKind::kAnonymous, "", std::nullopt};
  }
  return record;
}

namespace internal {
net::Task<Result<std::uint64_t>> AppendFor(Context& context, audit::Record record) {
  co_return co_await context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kSync);
}
}  // namespace internal

}  // namespace nd::server
