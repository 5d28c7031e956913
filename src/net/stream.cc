#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace nd::net {
namespace {

IoResult FromErrno() {
  return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::kWouldBlock : IoStatus::kFailed, 0};
}

}  // namespace

IoResult Stream::Read(std::span<char> room) {
  ssize_t got = 0;
  do {
    got = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return FromErrno();
  if (got == 0) return {IoStatus::kEnd, 0};
  return {IoStatus::kDone, static_cast<std::size_t>(got)};
}

IoResult Stream::Write(std::string_view bytes) {
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return FromErrno();
  return {IoStatus::kDone, static_cast<std::size_t>(sent)};
}

void Stream::CancelWaits() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::ShutdownSend() {
  error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Stream::Close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace nd::net
