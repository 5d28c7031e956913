// One connection: receives requests, hands them to the Application one at a time and in order, and sends the answers at
// the end of the loop's turn.
//
// A state machine (Advance) decides without waiting; the coroutine (Serve) does the waiting that it asks for. Deadlines
// are held by Core's sweep. Loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "http/core.h"
#include "http/output.h"
#include "net/signal.h"
#include "net/stream.h"

namespace nd::http {

class Connection final : public Exchange, public net::EndOfTurn, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Core> core, net::TcpSocket socket, const boost::asio::ip::address& peer);
  ~Connection() override;

  // The connection's whole life.
  net::Task<> Serve();

  const boost::asio::ip::address& peer() const { return peer_; }
  void Sweep(SteadyTime now);
  // Closes a connection that waits for a request, for a graceful stop.
  void CloseIfIdle();
  // Drops what was not sent and tells a running handler. Twice is once.
  void Close();
  // Leaves the Core's list, once: nothing of the server is touched afterwards.
  void Detach();

  // Exchange.
  const Request& request() const override { return intake_->request(); }
  RequestState* state() const override { return admission_.state.get(); }
  net::Loop& loop() override { return core_->loop(); }
  void Respond(Response response) override;
  void StartStream(Response response) override;
  net::Task<Result<void>> Write(std::string_view chunk) override;
  void Finish() override;
  void OnClientGone(std::function<void()> on_gone) override;
  bool client_gone() const override { return gone_; }

 private:
  friend class Core;  // the links of its list

  enum class Next : std::uint8_t { kRead, kHandle, kWaitForOutput, kEnd };
  enum class Phase : std::uint8_t { kReceive, kFlush, kLinger, kClosed };
  enum class Deadline : std::uint8_t { kNone, kIdle, kHeader, kBody, kLinger };
  enum class Answer : std::uint8_t { kNone, kStreaming, kComplete };

  // Receiving (connection.cc).
  Next Advance();
  Next AdvanceReceive();
  Next AwaitInput();
  Next AwaitOutputBelow(std::size_t size);
  void OnReadable();
  void OnExpired();
  void Admit();
  void BeginHandling();
  void EndHandling();
  void EndRequest();
  void SetDeadline(Deadline kind, SteadyTime at);

  // Answering (connection_answer.cc).
  void RunAtEndOfTurn() override;
  void Refuse(const Refusal& refusal);
  void WriteHead(Response& response, BodyCoding coding);
  void WriteAnswer(Response& response);
  void Queue();
  void Flush();
  void Watch();
  void OnWatched();
  void ClientGone();
  void HandlerFailed(std::string_view what);

  const std::shared_ptr<Core> core_;
  net::Stream stream_;
  const boost::asio::ip::address peer_;
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;

  std::unique_ptr<Intake> intake_;  // null while idle
  Output output_;
  net::Signal drained_;  // output went down to wake_at_, or the connection closed
  std::size_t wake_at_ = 0;
  SteadyTime deadline_{};
  SteadyTime send_deadline_{};
  SteadyTime body_since_{};

  Phase phase_ = Phase::kReceive;
  Deadline deadline_kind_ = Deadline::kNone;
  Answer answer_ = Answer::kNone;
  bool attached_ = true;        // in Core's list
  bool expired_ = false;        // the sweep ended a wait
  bool handling_ = false;       // the Application has the request
  bool admitted_ = false;       // request() is whole
  bool without_body_ = false;   // the answer ends with its head (HEAD, 204, 304)
  bool sensitive_ = false;      // what is written for this answer is wiped
  bool close_after_ = false;    // the answer said so
  bool peer_finished_ = false;  // end of input was seen
  bool gone_ = false;
  bool watching_ = false;
  bool watch_over_ = false;  // no more to learn by watching this exchange
  bool write_waiting_ = false;
  Admission admission_;
  std::function<void()> on_gone_;
};

}  // namespace nd::http
