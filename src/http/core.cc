#include "http/core.h"

#include <utility>

#include "http/connection.h"

namespace nd::http {
namespace {

constexpr std::chrono::milliseconds kSweepInterval{250};
constexpr std::size_t kSpareIntakes = 64;
constexpr std::size_t kSpareOutputs = 64;
// A larger buffer goes back to the heap.
constexpr std::size_t kLargestSpareOutput = 64 * 1024;
constexpr std::size_t kScratch = 16 * 1024;

}  // namespace

Core::Core(net::Loop& loop, Application& application, const Limits& limits, ConnectionTable& table, const Clock& clock,
           Random& random)
    : loop_(loop),
      application_(application),
      limits_(limits),
      table_(table),
      clock_(clock),
      ids_(random),
      sweep_timer_(loop.executor()) {}

void Core::Adopt(net::TcpSocket socket, const boost::asio::ip::address& peer) {
  net::error_code ignored;
  if (stopping_ || !table_.Admit(peer)) {
    socket.close(ignored);
    return;
  }
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), peer);
  connection->next_ = first_;
  if (first_ != nullptr) first_->previous_ = connection.get();
  first_ = connection.get();
  net::asio::co_spawn(loop_.executor(), connection->Serve(), net::asio::detached);
}

void Core::Leave(Connection& connection) {
  (connection.previous_ != nullptr ? connection.previous_->next_ : first_) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  connection.next_ = connection.previous_ = nullptr;
  loop_.Forget(connection);
  table_.Leave(connection.peer());
  FinishStopIfDone();
}

void Core::StartSweeping() { ScheduleSweep(); }

void Core::ScheduleSweep() {
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([self = shared_from_this()](net::error_code) {
    if (self->closed_) return;
    self->Sweep();
    self->ScheduleSweep();
  });
}

void Core::Sweep() {
  const SteadyTime now = clock_.Steady();
  for (Connection* at = first_; at != nullptr;) {
    Connection* next = at->next_;
    at->Sweep(now);
    at = next;
  }
  if (stopped_ && now > stop_deadline_) {
    for (Connection* at = first_; at != nullptr;) {
      Connection* next = at->next_;
      at->Close();
      at = next;
    }
    loop_.Post(std::exchange(stopped_, nullptr));
  }
}

void Core::BeginStop(std::chrono::milliseconds patience, std::function<void()> done) {
  stopping_ = true;
  stop_deadline_ = clock_.Steady() + patience;
  stopped_ = std::move(done);
  for (Connection* at = first_; at != nullptr;) {
    Connection* next = at->next_;
    at->CloseIfIdle();
    at = next;
  }
  FinishStopIfDone();
}

void Core::FinishStopIfDone() {
  if (first_ == nullptr && stopped_) loop_.Post(std::exchange(stopped_, nullptr));
}

void Core::CloseAll() {
  closed_ = true;
  stopped_ = nullptr;
  stopping_ = true;
  sweep_timer_.cancel();
  while (first_ != nullptr) {
    const auto connection = first_->shared_from_this();
    connection->Close();
    connection->Detach();
  }
}

std::unique_ptr<Intake> Core::TakeIntake() {
  if (intakes_.empty()) return std::make_unique<Intake>(limits_);
  auto intake = std::move(intakes_.back());
  intakes_.pop_back();
  return intake;
}

void Core::GiveBack(std::unique_ptr<Intake> intake) {
  intake->Clear();
  if (intakes_.size() < kSpareIntakes) intakes_.push_back(std::move(intake));
}

Bytes Core::TakeOutput() {
  if (outputs_.empty()) return Bytes();
  Bytes output = std::move(outputs_.back());
  outputs_.pop_back();
  return output;
}

void Core::GiveBack(Bytes output) {
  if (output.capacity() != 0 && output.capacity() <= kLargestSpareOutput && outputs_.size() < kSpareOutputs) {
    outputs_.push_back(std::move(output));
  }
}

std::span<char> Core::scratch() {
  if (scratch_ == nullptr) scratch_.reset(new char[kScratch]);
  return {scratch_.get(), kScratch};
}

}  // namespace nd::http
