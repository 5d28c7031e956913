// One connected byte stream: reads and writes that never block, and waiting until they are worth trying.
//
// Reading without waiting is what lets an idle connection hold no buffer. TLS belongs in this class, below everything
// that speaks HTTP. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "net/asio.h"

namespace nd::net {

enum class IoStatus : std::uint8_t { kDone, kWouldBlock, kEnd, kFailed };

struct IoResult {
  IoStatus status = IoStatus::kFailed;
  std::size_t bytes = 0;  // more than 0 exactly when kDone
};

class Stream {
 public:
  explicit Stream(TcpSocket socket) : socket_(std::move(socket)) {}

  // Takes what has arrived, at most `room`, which must not be empty. kEnd once the peer has finished sending.
  IoResult Read(std::span<char> room);
  // Hands over as much of `bytes` (not empty) as the kernel takes. Never raises SIGPIPE.
  IoResult Write(std::string_view bytes);

  // Completes with void(error_code) when Read (Write) is worth trying, the stream failed, or the wait was cancelled.
  template <class Token>
  auto WaitReadable(Token&& token) {
    return socket_.async_wait(TcpSocket::wait_read, std::forward<Token>(token));
  }
  template <class Token>
  auto WaitWritable(Token&& token) {
    return socket_.async_wait(TcpSocket::wait_write, std::forward<Token>(token));
  }
  // Ends all waits with operation_aborted.
  void CancelWaits();

  // No more will be written; what the kernel holds is still delivered.
  void ShutdownSend();
  // Ends all waits too. Twice is once.
  void Close();
  bool open() const { return socket_.is_open(); }

 private:
  TcpSocket socket_;
};

}  // namespace nd::net
