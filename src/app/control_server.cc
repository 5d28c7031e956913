#include "app/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "app/admin_codec.h"
#include "app/local_socket.h"
#include "app/process.h"
#include "base/log.h"

namespace nd::app {

namespace asio = net::asio;
using LocalAcceptor = asio::basic_socket_acceptor<asio::local::stream_protocol, net::Executor>;

class ControlServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(AdminWorld& world, UniqueFd listener, std::string path)
      : world_(world),
        path_(std::move(path)),
        acceptor_(world.loop.executor(), asio::local::stream_protocol(), listener.Release()) {}

  void Start() { asio::co_spawn(world_.loop.executor(), Accept(shared_from_this()), asio::detached); }

  void Stop() {
    if (!acceptor_.is_open()) return;
    net::error_code ignored;
    acceptor_.close(ignored);
    unlink(path_.c_str());
  }

 private:
  struct Connection {
    explicit Connection(net::LocalSocket accepted) : socket(std::move(accepted)), deadline(socket.get_executor()) {}
    net::LocalSocket socket;
    net::Timer deadline;
  };

  static net::Task<> Accept(std::shared_ptr<Impl> self) {
    while (self->acceptor_.is_open()) {
      net::error_code ec;
      net::LocalSocket socket = co_await self->acceptor_.async_accept(asio::redirect_error(net::kAwait, ec));
      if (ec == asio::error::operation_aborted || !self->acceptor_.is_open()) co_return;
      if (ec) {
        // Out of descriptors, most likely: a pause instead of a spin.
        net::Timer pause(self->world_.loop.executor(), std::chrono::milliseconds(200));
        co_await pause.async_wait(asio::redirect_error(net::kAwait, ec));
        continue;
      }
      if (self->connections_ >= kMaxConnections) continue;  // closed: the command tells its user to ask again
      asio::co_spawn(self->world_.loop.executor(), Serve(self, std::make_shared<Connection>(std::move(socket))),
                     asio::detached);
    }
  }

  // Ends a connection that takes too long.
  static void Watch(const std::shared_ptr<Connection>& connection) {
    connection->deadline.expires_after(kPatience);
    connection->deadline.async_wait([connection](const net::error_code& ec) {
      net::error_code ignored;
      if (!ec) connection->socket.close(ignored);
    });
  }

  static net::Task<> Serve(std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection) {
    ++self->connections_;
    const std::string actor = ActorOf(connection->socket);
    if (!actor.empty()) {
      Watch(connection);
      const Secret line = co_await ReadLine(connection->socket);
      connection->deadline.cancel();
      if (!line.empty()) {
        const Secret answer = co_await self->AnswerTo(line, actor);
        Watch(connection);
        net::error_code ec;
        const std::array<asio::const_buffer, 2> parts = {asio::buffer(answer.ExposeSecret()), asio::buffer("\n", 1)};
        co_await asio::async_write(connection->socket, parts, asio::redirect_error(net::kAwait, ec));
        connection->deadline.cancel();
      }
    }
    net::error_code ignored;
    connection->socket.close(ignored);
    --self->connections_;
  }

  net::Task<Secret> AnswerTo(const Secret& line, const std::string& actor) {
    auto act = DecodeAct(line.ExposeSecret());
    if (!act.ok()) co_return EncodeAnswer(std::move(act).error());
    co_return EncodeAnswer(co_await DoAdminAct(world_, actor, *std::move(act)));
  }

  // "cli:<user>", or empty for a peer that may not ask. The kernel vouches for it, not the peer.
  static std::string ActorOf(net::LocalSocket& socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
    if (peer.uid != geteuid() && peer.uid != 0) {
      LogWarning("the control socket was refused to uid " + std::to_string(peer.uid));
      return {};
    }
    return "cli:" + UserName(peer.uid);
  }

  // The line without its newline; empty if the peer went away or sent too much.
  static net::Task<Secret> ReadLine(net::LocalSocket& socket) {
    Secret room = Secret::OfSize(kMaxRequestLine + 1);
    std::size_t have = 0;
    while (have < room.size()) {
      net::error_code ec;
      const std::size_t got = co_await socket.async_read_some(
          asio::buffer(room.Mutable().data() + have, room.size() - have), asio::redirect_error(net::kAwait, ec));
      if (ec) co_return Secret();
      const auto end = room.ExposeSecret().substr(have, got).find('\n');
      if (end != std::string_view::npos) co_return Secret(room.ExposeSecret().substr(0, have + end));
      have += got;
    }
    co_return Secret();
  }

  AdminWorld& world_;
  const std::string path_;
  LocalAcceptor acceptor_;
  std::size_t connections_ = 0;
};

Result<std::unique_ptr<ControlServer>> ControlServer::Start(AdminWorld& world, const std::string& path) {
  ND_ASSIGN(UniqueFd listener, ListenLocally(path));
  auto impl = std::make_shared<Impl>(world, std::move(listener), path);
  impl->Start();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() { impl_->Stop(); }
void ControlServer::Stop() { impl_->Stop(); }

}  // namespace nd::app
