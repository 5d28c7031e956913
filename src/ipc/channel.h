// One end of a socket pair that carries frames in order.
//
// Loop thread only. Not a remote procedure call: requests, answers and time-outs are the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/result.h"
#include "ipc/frame.h"
#include "net/asio.h"
#include "net/loop.h"

namespace nd::ipc {

// Both ends of a SOCK_STREAM pair, close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> MakePair();

class Channel {
 public:
  // Called for each frame, in order. An error means that the other side broke the protocol: the channel closes.
  using OnFrame = std::function<Result<void>(const Frame& frame)>;
  // Called once, in a later turn, when the channel has ended for a reason other than Close(). `why` is for the log.
  using OnClosed = std::function<void(const std::string& why)>;

  // Takes `fd`. At most `max_queued` bytes wait to be sent.
  Channel(net::Loop& loop, UniqueFd fd, std::size_t max_queued);
  // Closes; neither callback is called any more.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Begins to read. Once. The channel may be destroyed inside either callback.
  void Start(OnFrame on_frame, OnClosed on_closed);

  // Queues one frame. False, with nothing queued, if the channel has ended or the queue would grow beyond its bound.
  [[nodiscard]] bool Send(std::uint8_t type, std::uint64_t call, std::string_view payload);
  // True if a payload of this size would be taken now.
  bool CanSend(std::size_t payload_size) const;
  // True if `size` bytes of frames, headers included, would be taken now.
  bool CanQueue(std::size_t size) const;
  void Close();
  // Ends the channel as a failure of the other side does: the owner is told in a later turn.
  void Abandon(std::string why);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace nd::ipc
