// The seam between the HTTP layer and the product: for each request the Application first admits it by its header, then
// handles it once its body is there.
//
// Thread-safety: an Application is shared by all loops and must be thread-safe; an Exchange lives on one loop.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "http/message.h"
#include "net/asio.h"
#include "net/loop.h"

namespace nd::http {

// What the application keeps about one request between Admit and Handle.
class RequestState {
 public:
  virtual ~RequestState() = default;
};

// The application's verdict on a header, before a byte of the body is read.
struct Admission {
  // False: Handle is called at once with an empty body (a refusal, or a route without one); a body that was announced
  // is drained if small, else the connection closes after the answer.
  bool read_body = false;
  // Content-Length above it, or a chunked body growing beyond it: Application::Refuse(413).
  std::size_t body_limit = 0;
  std::unique_ptr<RequestState> state;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;
  virtual RequestState* state() const = 0;
  virtual net::Loop& loop() = 0;

  // Exactly one of Respond or StartStream per exchange. The answer is queued and sent at the end of the turn.
  virtual void Respond(Response response) = 0;

  // A streamed answer of unknown length (chunked coding; `response.body` must be empty). After StartStream, Write as
  // often as needed and then Finish; a handler that returns without Finish aborts the connection so that the client
  // sees a broken, not a short, answer.
  virtual void StartStream(Response response) = 0;
  // Waits while the client is slow (Limits::send_buffer). kUnavailable once the client has gone.
  virtual net::Task<Result<void>> Write(std::string_view chunk) = 0;
  virtual void Finish() = 0;

  // `on_gone` is called once, on the loop, when the client closes or resets the connection before the answer is
  // complete. Used to cancel upstream work. Replaces an earlier one; pass nullptr to clear. If the client has gone
  // already, it is called at once. Cleared by itself when Handle returns.
  virtual void OnClientGone(std::function<void()> on_gone) = 0;
  virtual bool client_gone() const = 0;
};

class Application {
 public:
  virtual ~Application() = default;

  // Called once per request when its header is complete and well-formed. Must not block. May throw nothing.
  virtual Admission Admit(const Request& request, net::Loop& loop) = 0;

  // Called once per admitted request, also for refusals decided in Admit. The coroutine runs on exchange.loop(). An
  // exception that escapes is answered with Refuse(500) and logged.
  virtual net::Task<> Handle(Exchange& exchange) = 0;

  // The answer to a request that HTTP itself refuses (malformed, too large, timed out...), in the product's error
  // shape. `what` is a fixed sentence of the HTTP layer. `request_id` is always set. Must not block.
  // `path` is empty if the header did not get that far.
  virtual Response Refuse(int status, std::string_view what, std::string_view request_id, std::string_view path) = 0;
};

}  // namespace nd::http
