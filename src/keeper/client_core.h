// What Client and Call share: the channel and who waits for what on it. A private part of client.cc and call.cc.
//
// Loop thread only. Held by every waiting coroutine, so that it outlives the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/channel.h"
#include "keeper/client.h"
#include "keeper/messages.h"
#include "keeper/wakeup.h"

namespace nd::keeper {

// Room for some of the largest request bodies; more at once are refused, not collected.
inline constexpr std::size_t kMaxQueued = 32 * 1024 * 1024;
// Beyond it, for credits and cancels alone. A running call has at most four credits and one cancel on their way, under
// 100 bytes: more than enough for the calls a keeper takes from one channel, and for many that end while they queue.
inline constexpr std::size_t kControlRoom = 256 * 1024;

Error KeeperGone();

// A question that waits for its one answer.
struct Question {
  explicit Question(net::Loop& loop) : answered(loop) {}
  Wakeup answered;
  std::optional<Result<ipc::Bytes>> answer;
};

// A call as far as it has come from the keeper.
struct CallProgress {
  explicit CallProgress(net::Loop& loop) : moved(loop) {}
  Wakeup moved;
  std::optional<CallHead> head;
  std::deque<std::string> chunks;
  std::optional<Error> error;
  bool ended = false;
  std::size_t buffered = 0;  // bytes in `chunks`
  std::uint64_t used = 0;    // bytes handed out and not yet credited to the keeper
};

class ClientCore : public std::enable_shared_from_this<ClientCore> {
 public:
  ClientCore(net::Loop& loop, UniqueFd channel);
  void Start();
  void Shutdown();  // the client goes: everything pending fails

  net::Loop& loop() { return loop_; }
  // Sends a question; the answer's payload, or the error.
  static net::Task<Result<ipc::Bytes>> Ask(std::shared_ptr<ClientCore> self, Message type, ipc::Bytes payload,
                                           std::chrono::milliseconds patience);

  // Begins a call; a failure is found in the progress. The id is 0 then.
  std::uint64_t StartCall(CallRequest request, const std::shared_ptr<CallProgress>& progress);
  void Credit(std::uint64_t id, std::uint64_t bytes);
  void CancelCall(std::uint64_t id);

  void OnLost(std::function<void()> on_lost);

 private:
  Result<void> OnFrame(const ipc::Frame& frame);
  Result<void> OnCallFrame(const ipc::Frame& frame, CallProgress& call);
  void FailAll(const Error& error);
  // Questions and requests: false if they would need the room of the control frames.
  bool Send(Message type, std::uint64_t id, std::string_view payload);
  // Credits and cancels are never dropped: where even their room is full, the keeper has long stopped reading, and the
  // channel ends.
  void SendControl(Message type, std::uint64_t id, std::string_view payload);
  bool CanQueue(std::size_t size) const { return channel_.CanQueue(size + kControlRoom); }

  net::Loop& loop_;
  ipc::Channel channel_;
  std::function<void()> on_lost_;
  bool lost_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Question>> questions_;
  std::map<std::uint64_t, std::shared_ptr<CallProgress>> calls_;
};

// The Call that Client::Start hands out.
std::unique_ptr<Call> MakeCall(std::shared_ptr<ClientCore> core, CallRequest request);

}  // namespace nd::keeper
