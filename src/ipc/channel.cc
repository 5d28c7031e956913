#include "ipc/channel.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <deque>
#include <string>
#include <vector>

namespace nd::ipc {

namespace asio = net::asio;

Result<std::pair<UniqueFd, UniqueFd>> MakePair() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) return InternalErrno("socketpair", errno);
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

// Shared with the operations in flight, so that they find it whole after the channel has been destroyed.
class Channel::State : public std::enable_shared_from_this<State> {
 public:
  State(net::Loop& loop, UniqueFd fd, std::size_t max_queued)
      : loop_(loop), max_queued_(max_queued), socket_(loop.executor(), asio::local::stream_protocol(), fd.Release()) {
    net::error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  void Start(OnFrame on_frame, OnClosed on_closed) {
    on_frame_ = std::move(on_frame);
    on_closed_ = std::move(on_closed);
    Read();
  }

  bool CanSend(std::size_t payload_size) const {
    return payload_size <= kMaxPayload && CanQueue(kFrameHeader + payload_size);
  }

  bool CanQueue(std::size_t size) const { return open_ && queued_bytes_ + size <= max_queued_; }

  bool Send(std::uint8_t type, std::uint64_t call, std::string_view payload) {
    if (!CanSend(payload.size())) return false;
    queue_.push_back(EncodeFrame(type, call, payload));
    queued_bytes_ += queue_.back().size();
    if (!writing_) Write();
    return true;
  }

  void Close() {
    if (!open_) return;
    open_ = false;
    net::error_code ignored;
    socket_.close(ignored);
    queue_.clear();
    queued_bytes_ = 0;
  }

  // The owner goes, so nobody is told.
  void Orphan() {
    Close();
    orphaned_ = true;
  }

  void Fail(std::string why) {
    if (!open_) return;
    Close();
    loop_.Post([self = shared_from_this(), why = std::move(why)] {
      if (self->orphaned_ || !self->on_closed_) return;
      const OnClosed on_closed = std::move(self->on_closed_);
      on_closed(why);
    });
  }

 private:
  void Read() {
    const std::span<char> room = decoder_.Room();
    socket_.async_read_some(
        asio::buffer(room.data(), room.size()),
        [self = shared_from_this()](net::error_code ec, std::size_t size) { self->OnRead(ec, size); });
  }

  void OnRead(net::error_code ec, std::size_t size) {
    if (!open_) return;
    if (ec) {
      const bool clean = ec == asio::error::eof && decoder_.at_border();
      return Fail(clean ? "the other side closed" : "read: " + ec.message());
    }
    decoder_.Commit(size);
    while (open_) {
      auto frame = decoder_.Next();
      if (!frame.ok()) return Fail(frame.error().detail);
      if (!frame->has_value()) break;
      if (auto handled = on_frame_(**frame); !handled.ok()) return Fail(handled.error().detail);
    }
    if (open_) Read();
  }

  void Write() {
    static constexpr std::size_t kMaxGather = 16;
    std::vector<asio::const_buffer> buffers;
    for (std::size_t i = 0; i < queue_.size() && i < kMaxGather; ++i) {
      const std::size_t skip = i == 0 ? front_sent_ : 0;
      buffers.emplace_back(queue_[i].data() + skip, queue_[i].size() - skip);
    }
    writing_ = true;
    socket_.async_write_some(
        buffers, [self = shared_from_this()](net::error_code ec, std::size_t size) { self->OnWritten(ec, size); });
  }

  void OnWritten(net::error_code ec, std::size_t size) {
    writing_ = false;
    if (!open_) return;
    if (ec) return Fail("write: " + ec.message());
    queued_bytes_ -= size;
    size += front_sent_;
    while (!queue_.empty() && size >= queue_.front().size()) {
      size -= queue_.front().size();
      queue_.pop_front();
    }
    front_sent_ = size;
    if (!queue_.empty()) Write();
  }

  net::Loop& loop_;
  const std::size_t max_queued_;
  net::LocalSocket socket_;
  FrameDecoder decoder_;
  std::deque<Bytes> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t front_sent_ = 0;  // bytes of the first queued frame that are gone
  bool writing_ = false;
  bool open_ = true;
  bool orphaned_ = false;
  OnFrame on_frame_;
  OnClosed on_closed_;
};

Channel::Channel(net::Loop& loop, UniqueFd fd, std::size_t max_queued)
    : state_(std::make_shared<State>(loop, std::move(fd), max_queued)) {}
Channel::~Channel() { state_->Orphan(); }
void Channel::Start(OnFrame on_frame, OnClosed on_closed) { state_->Start(std::move(on_frame), std::move(on_closed)); }
bool Channel::Send(std::uint8_t type, std::uint64_t call, std::string_view payload) {
  return state_->Send(type, call, payload);
}
bool Channel::CanSend(std::size_t payload_size) const { return state_->CanSend(payload_size); }
bool Channel::CanQueue(std::size_t size) const { return state_->CanQueue(size); }
void Channel::Close() { state_->Close(); }
void Channel::Abandon(std::string why) { state_->Fail(std::move(why)); }

}  // namespace nd::ipc
