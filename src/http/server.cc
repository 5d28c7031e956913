#include "http/server.h"

#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>

#include <utility>

#include "base/log.h"
#include "http/core.h"

namespace nd::http {
namespace {

using boost::asio::ip::tcp;

// Out of descriptors or memory: accepting again at once would fail again at once.
constexpr std::chrono::milliseconds kAcceptPause{100};

Error ListenError(const net::error_code& ec, std::string_view step) {
  const std::string detail = std::string(step) + ": " + ec.message();
  switch (ec.value()) {
    case EADDRINUSE:
      return Conflict("The address is in use by another program. Stop it, or choose another port.", detail);
    case EACCES:
    case EPERM:
      return Forbidden("This address may not be listened on. Choose a port of 1024 or above.", detail);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:
      return InvalidInput("This machine does not have the address that was to be listened on.", detail);
    default:
      return InternalErrno(step, ec.value());
  }
}

struct Listener {
  explicit Listener(std::shared_ptr<Core> shared)
      : core(std::move(shared)), acceptor(core->loop().executor()), pause(core->loop().executor()) {}

  Result<void> Open(const tcp::endpoint& endpoint, bool reuse_port);

  void Close() {
    net::error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
  }

  static net::Task<> Accept(std::shared_ptr<Listener> self);

  const std::shared_ptr<Core> core;
  net::TcpAcceptor acceptor;
  net::Timer pause;
};

Result<void> Listener::Open(const tcp::endpoint& endpoint, bool reuse_port) {
  net::error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (ec) return ListenError(ec, "socket");
  acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (ec) return ListenError(ec, "SO_REUSEADDR");
  if (endpoint.address().is_v6()) {
    // "::" takes IPv4 too; addresses are judged in their canonical form.
    acceptor.set_option(boost::asio::ip::v6_only(false), ec);
    if (ec) return ListenError(ec, "IPV6_V6ONLY");
  }
  const int on = 1;
  if (reuse_port && setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return InternalErrno("SO_REUSEPORT", errno);
  }
  acceptor.bind(endpoint, ec);
  if (ec) return ListenError(ec, "bind");
  acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) return ListenError(ec, "listen");
  return {};
}

net::Task<> Listener::Accept(std::shared_ptr<Listener> self) {
  bool complained = false;
  while (self->acceptor.is_open()) {
    tcp::endpoint peer;
    net::error_code ec;
    net::TcpSocket socket = co_await self->acceptor.async_accept(peer, net::asio::redirect_error(net::kAwait, ec));
    if (!self->acceptor.is_open()) co_return;
    if (!ec) {
      complained = false;
      self->core->Adopt(std::move(socket), peer.address());
      continue;
    }
    if (!std::exchange(complained, true)) {
      LogWarning("http: accepting connections pauses: " + ec.message() +
                 ". If files are short, raise the limit of open files (ulimit -n).");
    }
    self->pause.expires_after(kAcceptPause);
    co_await self->pause.async_wait(net::asio::redirect_error(net::kAwait, ec));
  }
}

}  // namespace

class Server::Impl {
 public:
  Impl(net::Loop& loop, Application& application, const Limits& limits, ConnectionTable& connections,
       const Clock& clock, Random& random)
      : core_(std::make_shared<Core>(loop, application, limits, connections, clock, random)) {
    core_->StartSweeping();
  }

  ~Impl() {
    CloseListeners();
    core_->CloseAll();
  }

  Result<void> Listen(const tcp::endpoint& endpoint, bool reuse_port) {
    auto listener = std::make_shared<Listener>(core_);
    ND_TRY(listener->Open(endpoint, reuse_port));
    net::error_code ignored;
    if (listeners_.empty()) local_endpoint_ = listener->acceptor.local_endpoint(ignored);
    listeners_.push_back(listener);
    net::asio::co_spawn(core_->loop().executor(), Listener::Accept(listener), net::asio::detached);
    return {};
  }

  void CloseListeners() {
    for (const auto& listener : listeners_) listener->Close();
    listeners_.clear();
  }

  Core& core() { return *core_; }
  const tcp::endpoint& local_endpoint() const { return local_endpoint_; }

 private:
  const std::shared_ptr<Core> core_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  tcp::endpoint local_endpoint_;
};

Server::Server(net::Loop& loop, Application& application, const Limits& limits, ConnectionTable& connections,
               const Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(loop, application, limits, connections, clock, random)) {}

Server::~Server() = default;

Result<void> Server::Listen(const tcp::endpoint& endpoint, bool reuse_port) {
  return impl_->Listen(endpoint, reuse_port);
}

tcp::endpoint Server::local_endpoint() const { return impl_->local_endpoint(); }

void Server::StopGracefully(std::chrono::milliseconds patience, std::function<void()> done) {
  impl_->CloseListeners();
  impl_->core().BeginStop(patience, std::move(done));
}

void Server::Adopt(net::TcpSocket socket) {
  net::error_code ec;
  const tcp::endpoint peer = socket.remote_endpoint(ec);
  if (ec) return;
  impl_->core().Adopt(std::move(socket), peer.address());
}

void Server::Sweep() { impl_->core().Sweep(); }

}  // namespace nd::http
