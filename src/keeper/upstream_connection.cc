#include "keeper/upstream_connection.h"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <cerrno>

#include "net/address.h"

namespace nd::keeper {

namespace {

namespace asio = net::asio;
namespace ip = net::asio::ip;
using asio::redirect_error;
using net::error_code;
using net::kAwait;

constexpr std::size_t kMaxCandidates = 4;
constexpr std::size_t kWriteSlice = 64 * 1024;
// Where Debian and its relatives keep the authorities; read at start, before the process gives up its view of the disk.
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

Error Unreachable(std::string detail) {
  return Unavailable("The provider could not be reached. Try again later.", std::move(detail));
}

}  // namespace

void Stop::Fire() {
  fired_ = true;
  if (const auto action = std::exchange(action_, nullptr)) action();
}

void Stop::SetAction(std::function<void()> action) {
  action_ = std::move(action);
  if (fired_) Fire();
}

bool MayReach(const ProviderConfig& provider, const ip::address& address) {
  const ip::address canonical = net::Canonical(address);
  if (provider.literal) return canonical == net::Canonical(*provider.literal);
  if (provider.is_localhost()) return canonical.is_loopback();
  return net::IsPublicInternet(canonical);
}

Result<std::unique_ptr<asio::ssl::context>> MakeTlsContext(const std::string& ca_file) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code ec;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(asio::ssl::verify_peer, ec);
  if (ec) return Internal("TLS verification cannot be switched on: " + ec.message());
  if (!ca_file.empty()) {
    context->load_verify_file(ca_file, ec);
    if (ec) return InvalidInput("The file with certificate authorities cannot be read.", ca_file + ": " + ec.message());
    return context;
  }
  context->set_default_verify_paths(ec);
  if (ec) return Internal("the system's certificate authorities cannot be read: " + ec.message());
  // Absent on other systems, where the default paths above serve.
  context->load_verify_file(kSystemAuthorities, ec);
  return context;
}

Connection::Connection(net::Loop& loop, asio::ssl::context* tls)
    : resolver_(loop.executor()), socket_(loop.executor()), tls_context_(tls), deadline_(loop.executor()) {}

void Connection::Close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
  resolver_.cancel();
  deadline_.cancel();
}

void Connection::StartDeadline(std::chrono::milliseconds patience) {
  const std::uint64_t number = ++*wait_number_;
  deadline_.expires_after(patience);
  deadline_.async_wait([this, number, current = std::weak_ptr(wait_number_)](error_code ec) {
    const auto alive = current.lock();
    if (ec || alive == nullptr || *alive != number) return;
    timed_out_ = true;
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
  });
}

void Connection::EndDeadline() {
  ++*wait_number_;
  deadline_.cancel();
}

Error Connection::Failed(std::string_view step, const error_code& ec) const {
  std::string detail(step);
  detail += ": ";
  detail += closed_ ? "cancelled" : timed_out_ ? "timed out" : ec ? ec.message() : "failed";
  return Unreachable(std::move(detail));
}

net::Task<Result<void>> Connection::Open(const ProviderConfig& provider, const UpstreamTimeouts& timeouts) {
  auto candidates = co_await Resolve(provider, timeouts.connect);
  if (!candidates.ok()) co_return std::move(candidates).error();
  auto connected = co_await Connect(provider, *std::move(candidates), timeouts.connect);
  if (!connected.ok()) co_return std::move(connected).error();
  if (tls_context_ == nullptr) co_return Result<void>();
  co_return co_await Handshake(provider, timeouts.connect);
}

net::Task<Result<std::vector<ip::tcp::endpoint>>> Connection::Resolve(const ProviderConfig& provider,
                                                                      std::chrono::milliseconds patience) {
  std::vector<ip::tcp::endpoint> endpoints;
  if (provider.literal) {
    endpoints.emplace_back(*provider.literal, provider.port);
    co_return endpoints;
  }
  if (provider.is_localhost()) {  // RFC 6761: never asked of a name server
    endpoints.emplace_back(ip::address_v4::loopback(), provider.port);
    endpoints.emplace_back(ip::address_v6::loopback(), provider.port);
    co_return endpoints;
  }
  error_code ec;
  StartDeadline(patience);
  const auto found = co_await resolver_.async_resolve(provider.host, std::to_string(provider.port),
                                                      ip::resolver_base::numeric_service, redirect_error(kAwait, ec));
  EndDeadline();
  if (closed_ || timed_out_ || ec) co_return Failed("resolve " + provider.host, ec);
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

net::Task<Result<void>> Connection::Connect(const ProviderConfig& provider, std::vector<ip::tcp::endpoint> candidates,
                                            std::chrono::milliseconds patience) {
  Error last = Unreachable(provider.host + " has no address");
  // Not even a SYN goes where the deck may not go. The socket is asked again once it is connected.
  std::erase_if(candidates, [&](const ip::tcp::endpoint& endpoint) {
    if (MayReach(provider, endpoint.address())) return false;
    last = Unreachable(
        "provider " + provider.name + ": " + provider.host + " is " + endpoint.address().to_string() +
        ", not an address of the public Internet; if that is meant, configure the address itself instead of "
        "the name");
    return true;
  });
  if (candidates.size() > kMaxCandidates) candidates.resize(kMaxCandidates);
  for (const auto& endpoint : candidates) {
    error_code ec;
    timed_out_ = false;
    socket_.close(ec);
    socket_.open(endpoint.protocol(), ec);
    if (ec) {
      last = Failed("socket", ec);
      continue;
    }
    StartDeadline(patience / static_cast<int>(candidates.size()));
    co_await socket_.async_connect(endpoint, redirect_error(kAwait, ec));
    EndDeadline();
    if (closed_) co_return Failed("connect", ec);
    if (ec || timed_out_) {
      last = Failed("connect to " + provider.host + " (" + endpoint.address().to_string() + ")", ec);
      continue;
    }
    const auto remote = socket_.remote_endpoint(ec);
    if (ec || !MayReach(provider, remote.address())) {
      socket_.close(ec);
      last = Unreachable("provider " + provider.name + ": the connection ended at an address that is not allowed");
      continue;
    }
    socket_.set_option(ip::tcp::no_delay(true), ec);
    co_return Result<void>();
  }
  co_return last;
}

net::Task<Result<void>> Connection::Handshake(const ProviderConfig& provider, std::chrono::milliseconds patience) {
  tls_.emplace(socket_, *tls_context_);
  // Server Name Indication is for names only (RFC 6066, 3).
  if (!provider.literal && SSL_set_tlsext_host_name(tls_->native_handle(), provider.host.c_str()) != 1) {
    co_return Unreachable("TLS: the server name cannot be set");
  }
  error_code ec;
  tls_->set_verify_callback(asio::ssl::host_name_verification(provider.host), ec);
  if (ec) co_return Failed("TLS", ec);
  StartDeadline(patience);
  co_await tls_->async_handshake(asio::ssl::stream_base::client, redirect_error(kAwait, ec));
  EndDeadline();
  if (ec || closed_ || timed_out_) co_return Failed("TLS with " + provider.host, ec);
  co_return Result<void>();
}

net::Task<Result<void>> Connection::Write(std::string_view bytes, std::chrono::milliseconds patience) {
  while (!bytes.empty()) {
    const auto slice = asio::buffer(bytes.data(), std::min(bytes.size(), kWriteSlice));
    error_code ec;
    StartDeadline(patience);
    std::size_t sent = 0;
    if (tls_) {
      sent = co_await tls_->async_write_some(slice, redirect_error(kAwait, ec));
    } else {
      sent = co_await socket_.async_write_some(slice, redirect_error(kAwait, ec));
    }
    EndDeadline();
    if (ec || closed_ || timed_out_) co_return Failed("write", ec);
    bytes.remove_prefix(sent);
  }
  co_return Result<void>();
}

net::Task<Result<std::size_t>> Connection::Read(std::span<char> into, std::chrono::milliseconds patience) {
  const auto room = asio::buffer(into.data(), into.size());
  error_code ec;
  StartDeadline(patience);
  std::size_t size = 0;
  if (tls_) {
    size = co_await tls_->async_read_some(room, redirect_error(kAwait, ec));
  } else {
    size = co_await socket_.async_read_some(room, redirect_error(kAwait, ec));
  }
  EndDeadline();
  if (closed_ || timed_out_) co_return Failed("read", ec);
  // Only an orderly end counts: a connection that was cut may have lost bytes.
  if (ec == asio::error::eof) co_return std::size_t{0};
  if (ec) co_return Failed("read", ec);
  co_return size;
}

bool Connection::QuietAndOpen() {
  if (closed_ || timed_out_ || !socket_.is_open()) return false;
  char byte = 0;
  const ssize_t got = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace nd::keeper
