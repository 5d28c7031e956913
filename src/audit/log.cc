#include "audit/log.h"

#include <optional>
#include <thread>
#include <vector>

#include "audit/disk.h"
#include "audit/notes.h"
#include "audit/record.h"
#include "audit/writer.h"
#include "base/mutex.h"

namespace nd::audit {

namespace {

// Calls each ticket's `done`, for callers that wait on a condition.
class CallDone final : public Sink {
 public:
  void Deliver(Ticket* list) override {
    while (list != nullptr) {
      Ticket* ticket = std::exchange(list, list->next);
      ticket->done(*ticket);
    }
  }
};

// One list of tickets per sink, in the order of the records.
class Deliveries {
 public:
  void Add(Ticket* ticket, Sink* sink) {
    ticket->next = nullptr;
    if (lists_.empty() || lists_[last_].sink != sink) {
      for (last_ = 0; last_ < lists_.size() && lists_[last_].sink != sink;) ++last_;
      if (last_ == lists_.size()) {
        lists_.push_back({sink, ticket, ticket});
        return;
      }
    }
    lists_[last_].tail->next = ticket;
    lists_[last_].tail = ticket;
  }
  void DeliverAll() {
    for (const List& list : lists_) list.sink->Deliver(list.head);
    lists_.clear();
    last_ = 0;
  }

 private:
  struct List {
    Sink* sink;
    Ticket* head;
    Ticket* tail;
  };
  std::vector<List> lists_;  // as many as there are loops: a handful
  std::size_t last_ = 0;
};

}  // namespace

class Log::Impl {
 public:
  Impl(Options options, const Clock& clock, Disk* disk)
      : options_(std::move(options)), clock_(clock), writer_(options_, clock, disk != nullptr ? *disk : own_disk_) {}

  ~Impl() {
    if (!thread_.joinable()) return;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.SignalOne();
    thread_.join();
  }

  Result<void> Start() {
    if (options_.role == Role::kServer) {
      ND_TRY(writer_.Start());
      started_ = Result<void>();
      PublishHealth();
    }
    thread_ = std::thread([this] { Run(); });
    return {};
  }

  void Append(const Record& record, Durability durability, Ticket& ticket, Sink& sink) {
    Body body = RenderBody(record);
    bool taken = false;
    {
      MutexLock lock(mutex_);
      health_.dropped_members += body.dropped_members;
      const bool full = queue_.size() >= options_.queue_records || queued_bytes_ >= options_.queue_bytes;
      taken = !stopping_ && !health_.degraded && !full;
      if (taken) {
        queued_bytes_ += body.json.size();
        // The time is taken under the lock, so that records are in the order of their times.
        queue_.push_back({std::move(body.json), clock_.Now(), durability, &ticket, &sink});
        if (queue_.size() == 1) wake_.SignalOne();
      } else if (health_.degraded) {
        writer_.CountRefused();
      }
    }
    if (taken) return;
    ticket.next = nullptr;
    ticket.sequence = RefusedError();
    sink.Deliver(&ticket);
  }

  Result<std::uint64_t> AppendAndWait(const Record& record, Durability durability) {
    Mutex mutex;
    Condition delivered;
    bool done = false;
    Ticket ticket;
    ticket.done = [&](Ticket&) {
      // Signalled under the lock: the waiter owns the condition and may be gone right after it.
      MutexLock lock(mutex);
      done = true;
      delivered.SignalOne();
    };
    Append(record, durability, ticket, call_done_);
    MutexLock lock(mutex);
    while (!done) delivered.Wait(mutex);
    return std::move(ticket.sequence);
  }

  Health health() const {
    MutexLock lock(mutex_);
    return health_;
  }
  std::uint64_t last_sequence() const { return writer_.last_sequence(); }

 private:
  // The writer thread.
  void Run() {
    std::vector<Pending> batch;
    Deliveries deliveries;
    for (bool stop = false; !stop;) {
      auto waited = Writer::Waited::kInterrupted;
      {
        MutexLock lock(mutex_);
        if (queue_.empty() && !stopping_ && !wake_.WaitFor(mutex_, writer_.Patience())) waited = Writer::Waited::kFully;
        batch.swap(queue_);
        queued_bytes_ = 0;
        stop = stopping_;
      }
      if (!batch.empty()) {
        Write(batch);
        PublishHealth();
        for (const Pending& item : batch) deliveries.Add(item.ticket, item.sink);
        batch.clear();
        deliveries.DeliverAll();
      }
      if (!running()) continue;
      writer_.DoChores(waited);
      PublishHealth();
    }
    if (running()) writer_.Stop();
  }

  bool running() const { return started_ && started_->ok(); }

  void Write(std::vector<Pending>& batch) {
    if (!started_) started_ = writer_.Start();
    if (started_->ok()) return writer_.Write(batch);
    for (Pending& item : batch) item.ticket->sequence = started_->error();
  }

  void PublishHealth() {
    MutexLock lock(mutex_);
    health_.degraded = writer_.degraded();
    health_.reason = writer_.reason();
  }

  const Options options_;
  const Clock& clock_;
  Disk own_disk_;
  Writer writer_;
  CallDone call_done_;
  std::optional<Result<void>> started_;  // of the writer; once the thread runs, its own

  mutable Mutex mutex_;
  Condition wake_;
  std::vector<Pending> queue_ ND_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ ND_GUARDED_BY(mutex_) = 0;
  bool stopping_ ND_GUARDED_BY(mutex_) = false;
  Health health_ ND_GUARDED_BY(mutex_);
  std::thread thread_;
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(Options options, const Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), clock, nullptr);
  ND_TRY(impl->Start());
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

Result<std::unique_ptr<Log>> Log::Open(Options options, const Clock& clock, Disk& disk) {
  auto impl = std::make_unique<Impl>(std::move(options), clock, &disk);
  ND_TRY(impl->Start());
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

void Log::Append(Record record, Durability durability, Ticket& ticket, Sink& sink) {
  impl_->Append(record, durability, ticket, sink);
}

Result<std::uint64_t> Log::AppendAndWait(Record record, Durability durability) {
  return impl_->AppendAndWait(record, durability);
}

Health Log::health() const { return impl_->health(); }
std::uint64_t Log::last_sequence() const { return impl_->last_sequence(); }

}  // namespace nd::audit
