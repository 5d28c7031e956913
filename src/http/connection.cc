#include "http/connection.h"

#include <exception>
#include <utility>

namespace nd::http {

Connection::Connection(std::shared_ptr<Core> core, net::TcpSocket socket, const boost::asio::ip::address& peer)
    : core_(std::move(core)), stream_(std::move(socket)), peer_(peer), drained_(core_->loop().executor()) {}

Connection::~Connection() { Detach(); }

void Connection::Detach() {
  if (std::exchange(attached_, false)) core_->Leave(*this);
}

net::Task<> Connection::Serve() {
  const auto self = shared_from_this();
  for (;;) {
    switch (Advance()) {
      case Next::kRead: {
        net::error_code ignored;  // reading tells
        co_await stream_.WaitReadable(net::asio::redirect_error(net::kAwait, ignored));
        OnReadable();
        break;
      }
      case Next::kHandle:
        BeginHandling();
        try {
          co_await core_->application().Handle(*this);
        } catch (const std::exception& error) {
          HandlerFailed(error.what());
        } catch (...) {
          HandlerFailed("an exception of unknown type");
        }
        EndHandling();
        break;
      case Next::kWaitForOutput:
        co_await drained_.Wait();
        break;
      case Next::kEnd:
        Detach();
        co_return;
    }
  }
}

Connection::Next Connection::Advance() {
  for (;;) {
    switch (phase_) {
      case Phase::kReceive:
        if (const Next next = AdvanceReceive(); phase_ == Phase::kReceive) return next;
        break;
      case Phase::kFlush:
        deadline_kind_ = Deadline::kNone;
        if (intake_ != nullptr) core_->GiveBack(std::move(intake_));
        if (output_.pending() != 0) return AwaitOutputBelow(0);
        if (peer_finished_) {
          Close();
          break;
        }
        // Closing with unread input would reset the connection, and the client would lose the answer.
        stream_.ShutdownSend();
        phase_ = Phase::kLinger;
        SetDeadline(Deadline::kLinger, core_->clock().Steady() + core_->limits().linger_time);
        break;
      case Phase::kLinger:
        return Next::kRead;
      case Phase::kClosed:
        return Next::kEnd;
    }
  }
}

Connection::Next Connection::AdvanceReceive() {
  const Limits& limits = core_->limits();
  if (output_.pending() != 0 && output_.pending() >= limits.pipeline_output)
    return AwaitOutputBelow(limits.pipeline_output / 2);
  if (intake_ == nullptr) return AwaitInput();
  for (;;) {
    switch (intake_->Advance()) {
      case Intake::Step::kNeedMore:
        return AwaitInput();
      case Intake::Step::kHead:
        Admit();
        if (phase_ != Phase::kReceive) return Next::kEnd;
        break;
      case Intake::Step::kComplete:
        return Next::kHandle;
      case Intake::Step::kRefused:
        Refuse(intake_->refusal());
        return Next::kEnd;
    }
  }
}

Connection::Next Connection::AwaitInput() {
  const Limits& limits = core_->limits();
  if (intake_ != nullptr && intake_->idle()) core_->GiveBack(std::move(intake_));
  if (intake_ == nullptr) {
    if (core_->stopping()) {
      phase_ = Phase::kFlush;
      return Next::kEnd;
    }
    SetDeadline(Deadline::kIdle, core_->clock().Steady() + limits.idle_time);
  } else if (!intake_->in_body()) {
    if (deadline_kind_ != Deadline::kHeader)
      SetDeadline(Deadline::kHeader, core_->clock().Steady() + limits.header_time);
  } else {
    if (deadline_kind_ != Deadline::kBody) body_since_ = core_->clock().Steady();
    const auto earned = std::chrono::milliseconds(intake_->body_received() * 1000 / limits.body_bytes_per_second);
    SetDeadline(Deadline::kBody, body_since_ + limits.body_grace + earned);
  }
  return Next::kRead;
}

Connection::Next Connection::AwaitOutputBelow(std::size_t size) {
  wake_at_ = size;
  return Next::kWaitForOutput;
}

void Connection::SetDeadline(Deadline kind, SteadyTime at) {
  deadline_kind_ = kind;
  deadline_ = at;
}

void Connection::OnReadable() {
  if (phase_ == Phase::kClosed) return;
  if (std::exchange(expired_, false)) return OnExpired();
  if (phase_ == Phase::kReceive && intake_ == nullptr) intake_ = core_->TakeIntake();
  const net::IoResult result = stream_.Read(phase_ == Phase::kReceive ? intake_->Room() : core_->scratch());
  switch (result.status) {
    case net::IoStatus::kDone:
      if (phase_ == Phase::kReceive) intake_->Received(result.bytes);
      break;
    case net::IoStatus::kWouldBlock:
      break;
    case net::IoStatus::kEnd:
      // Earlier answers may still be on their way to a client that has only finished sending.
      peer_finished_ = true;
      phase_ = Phase::kFlush;
      break;
    case net::IoStatus::kFailed:
      Close();
      break;
  }
}

void Connection::OnExpired() {
  if (phase_ != Phase::kReceive || intake_ == nullptr || intake_->draining()) return Close();
  Refuse({408, "The request took too long to arrive."});
}

void Connection::Sweep(SteadyTime now) {
  if (phase_ == Phase::kClosed) return;
  if (write_waiting_ && now > send_deadline_) return Close();
  if (deadline_kind_ == Deadline::kNone || now <= deadline_) return;
  if (deadline_kind_ == Deadline::kIdle && output_.pending() != 0) {
    // Not idle: a large answer is on its way to a slow client, under the deadline for sending.
    deadline_ = now + core_->limits().idle_time;
    return;
  }
  if (deadline_kind_ == Deadline::kIdle || deadline_kind_ == Deadline::kLinger) return Close();
  deadline_kind_ = Deadline::kNone;
  expired_ = true;
  stream_.CancelWaits();
}

void Connection::CloseIfIdle() {
  if (phase_ == Phase::kReceive && intake_ == nullptr && output_.pending() == 0) Close();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  deadline_kind_ = Deadline::kNone;
  stream_.Close();
  output_.Clear();
  drained_.Notify();
  ClientGone();
}

void Connection::Admit() {
  Request& request = intake_->request();
  request.id = core_->ids().Next(core_->clock().Now());
  request.peer = peer_;
  request.tls = false;
  admitted_ = true;
  without_body_ = request.method == Method::kHead;
  admission_ = core_->application().Admit(request, core_->loop());
  const Framing& framing = intake_->framing();
  if (!admission_.read_body || !framing.has_body()) return intake_->SkipBody();
  if (framing.content_length > admission_.body_limit) {
    intake_->SkipBody();
    return Refuse({413, "The request body is too large."});
  }
  if (framing.expect_continue && !intake_->body_begun()) {
    Queue();
    output_.bytes().Append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  intake_->AcceptBody(admission_.body_limit);
}

void Connection::BeginHandling() {
  deadline_kind_ = Deadline::kNone;
  handling_ = true;
  answer_ = Answer::kNone;
  watch_over_ = false;
  core_->loop().AtEndOfTurn(*this);  // a handler that outlives this turn is watched from its end on
}

void Connection::EndHandling() {
  handling_ = false;
  if (phase_ != Phase::kClosed && answer_ == Answer::kNone) HandlerFailed("the handler gave no answer");
  on_gone_ = nullptr;
  if (answer_ == Answer::kStreaming) {
    // The client must see a broken answer, not a short one.
    Flush();
    Close();
  }
  EndRequest();
}

void Connection::EndRequest() {
  admission_ = {};
  admitted_ = false;
  without_body_ = false;
  sensitive_ = false;
  if (phase_ == Phase::kClosed) {
    if (intake_ != nullptr) core_->GiveBack(std::move(intake_));
    return;
  }
  if (close_after_ || peer_finished_) {
    phase_ = Phase::kFlush;
    return;
  }
  intake_->EndRequest();
}

}  // namespace nd::http
