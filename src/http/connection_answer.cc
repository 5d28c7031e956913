// The answering half of a connection: heads and chunks into the output, sending, and noticing that the client has gone.
#include <string>
#include <utility>

#include "base/log.h"
#include "base/secret.h"
#include "http/connection.h"

namespace nd::http {

void Connection::Respond(Response response) {
  if (answer_ != Answer::kNone) return LogError("http: a handler answered twice; the second answer was dropped");
  answer_ = Answer::kComplete;
  if (phase_ != Phase::kClosed) WriteAnswer(response);
}

void Connection::StartStream(Response response) {
  if (answer_ != Answer::kNone) return LogError("http: a handler answered twice; the second answer was dropped");
  answer_ = Answer::kStreaming;
  response.body.clear();
  if (phase_ != Phase::kClosed) WriteHead(response, BodyCoding::kChunked);
}

net::Task<Result<void>> Connection::Write(std::string_view chunk) {
  const auto gone = [] { return Unavailable("The client has closed the connection."); };
  if (gone_ || answer_ != Answer::kStreaming) co_return gone();
  if (chunk.empty() || without_body_) co_return Result<void>();
  Queue();
  AppendChunk(output_.bytes(), chunk);
  if (sensitive_) output_.MarkSensitive();
  while (output_.pending() > core_->limits().send_buffer) {
    wake_at_ = core_->limits().send_buffer / 2;
    co_await drained_.Wait();
    if (gone_) co_return gone();
  }
  co_return Result<void>();
}

void Connection::Finish() {
  if (answer_ != Answer::kStreaming) return;
  answer_ = Answer::kComplete;
  if (phase_ == Phase::kClosed || without_body_) return;
  Queue();
  AppendLastChunk(output_.bytes());
}

void Connection::OnClientGone(std::function<void()> on_gone) {
  if (gone_ && on_gone != nullptr && answer_ != Answer::kComplete) return on_gone();
  on_gone_ = std::move(on_gone);
}

void Connection::Refuse(const Refusal& refusal) {
  const std::string id = admitted_ ? intake_->request().id : core_->ids().Next(core_->clock().Now());
  Response response = core_->application().Refuse(refusal.status, refusal.what, id, admitted_ ? intake_->request().path : std::string_view());
  // Only a body that is too large by its announcement leaves the connection in a known state.
  if (!admitted_ || intake_->Advance() != Intake::Step::kComplete) response.close = true;
  intake_->request().id = id;
  deadline_kind_ = Deadline::kNone;
  answer_ = Answer::kComplete;
  WriteAnswer(response);
  EndRequest();
}

void Connection::HandlerFailed(std::string_view what) {
  const std::string id = intake_ != nullptr ? intake_->request().id : std::string();
  LogError("http: request " + id + " failed: " + std::string(what));
  if (phase_ == Phase::kClosed || answer_ != Answer::kNone) return;
  Response response =
      core_->application().Refuse(500, "The server failed to answer. Quote the request id when asking for help.", id,
                                  intake_ != nullptr ? intake_->request().path : std::string_view());
  Respond(std::move(response));
}

void Connection::WriteHead(Response& response, BodyCoding coding) {
  // A head that was refused counts as whole: nothing after it is read.
  const bool unread = admitted_ && !intake_->CanDrain() && intake_->skipped();
  close_after_ =
      response.close || unread || core_->stopping() || peer_finished_ || (admitted_ && intake_->framing().close);
  without_body_ = without_body_ || IsBodyless(response.status);
  AnswerFacts facts;
  facts.date = core_->dates().At(core_->clock().Now());
  facts.request_id = intake_->request().id;
  facts.coding = coding;
  facts.persistence = close_after_ ? Persistence::kClose : Persistence::kKeepAlive;
  Queue();
  AppendHead(output_.bytes(), response, facts);
  if (!response.sensitive) return;
  sensitive_ = true;
  output_.MarkSensitive();
  WipeMemory(response.fields.data(), response.fields.size());
}

void Connection::WriteAnswer(Response& response) {
  WriteHead(response, BodyCoding::kLength);
  if (!without_body_) output_.bytes().Append(response.body);
  if (response.sensitive) WipeMemory(response.body.data(), response.body.size());
}

void Connection::Queue() {
  if (output_.bytes().capacity() == 0) output_.Lend(core_->TakeOutput());
  core_->loop().AtEndOfTurn(*this);
}

void Connection::RunAtEndOfTurn() {
  if (phase_ == Phase::kClosed) return;
  if (handling_ && !watching_ && !watch_over_) Watch();
  Flush();
}

void Connection::Flush() {
  if (phase_ == Phase::kClosed || write_waiting_) return;
  const std::size_t before = output_.pending();
  switch (output_.FlushTo(stream_)) {
    case Output::Flushed::kAll:
      core_->GiveBack(output_.TakeBack());
      if (core_->stopping()) CloseIfIdle();
      break;
    case Output::Flushed::kBlocked:
      if (output_.pending() < before || send_deadline_ == SteadyTime()) {
        send_deadline_ = core_->clock().Steady() + core_->limits().send_time;
      }
      write_waiting_ = true;
      stream_.WaitWritable([self = shared_from_this()](net::error_code) {
        self->write_waiting_ = false;
        self->Flush();
      });
      break;
    case Output::Flushed::kFailed:
      return Close();
  }
  if (!write_waiting_) send_deadline_ = SteadyTime();
  if (output_.pending() <= wake_at_) drained_.Notify();
}

void Connection::Watch() {
  watching_ = true;
  stream_.WaitReadable([self = shared_from_this()](net::error_code) { self->OnWatched(); });
}

void Connection::OnWatched() {
  watching_ = false;
  if (phase_ == Phase::kClosed || !handling_ || watch_over_) return;
  // What arrives meanwhile is kept for the next request; without room for it there is nothing more to see.
  const std::span<char> room = intake_->Room();
  if (room.empty()) {
    watch_over_ = true;
    return;
  }
  const net::IoResult result = stream_.Read(room);
  switch (result.status) {
    case net::IoStatus::kDone:
      intake_->Received(result.bytes);
      return Watch();
    case net::IoStatus::kWouldBlock:
      return Watch();
    case net::IoStatus::kEnd:
      // The answer is still sent: the client may have closed its sending side only.
      peer_finished_ = true;
      watch_over_ = true;
      drained_.Notify();
      return ClientGone();
    case net::IoStatus::kFailed:
      return Close();
  }
}

void Connection::ClientGone() {
  if (std::exchange(gone_, true)) return;
  if (handling_ && answer_ != Answer::kComplete) {
    if (const auto on_gone = std::exchange(on_gone_, nullptr)) on_gone();
  }
}

}  // namespace nd::http
