// One TCP or TLS connection to a provider, with a time limit on every wait and a check of where it really leads.
//
// Loop thread only. Knows no HTTP.
#pragma once

#include <boost/asio/ssl.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "keeper/provider.h"
#include "keeper/upstream_timeouts.h"
#include "net/asio.h"
#include "net/loop.h"

namespace nd::keeper {

// Ends the work of one call from outside, whatever it waits for.
class Stop {
 public:
  void Fire();
  bool fired() const { return fired_; }
  // What Fire does; replaces an earlier action. Runs now if it has fired already. nullptr: nothing.
  void SetAction(std::function<void()> action);

 private:
  bool fired_ = false;
  std::function<void()> action_;
};

class Connection {
 public:
  // `tls` is nullptr for plain HTTP; it outlives the connection.
  Connection(net::Loop& loop, net::asio::ssl::context* tls);

  // Connects, checks the address, shakes hands. Once. kUnavailable with the cause in the detail.
  net::Task<Result<void>> Open(const ProviderConfig& provider, const UpstreamTimeouts& timeouts);
  net::Task<Result<void>> Write(std::string_view bytes, std::chrono::milliseconds patience_per_slice);
  // The number of bytes read; 0 at an orderly end.
  net::Task<Result<std::size_t>> Read(std::span<char> into, std::chrono::milliseconds patience);

  // At once; pending waits fail.
  void Close();
  bool closed() const { return closed_; }
  // A wait ended because its time was over.
  bool timed_out() const { return timed_out_; }
  // False if the other side has closed an idle connection, or said something unasked.
  bool QuietAndOpen();

 private:
  using Resolver = net::asio::ip::basic_resolver<net::asio::ip::tcp, net::Executor>;
  using TlsStream = net::asio::ssl::stream<net::TcpSocket&>;

  net::Task<Result<std::vector<net::asio::ip::tcp::endpoint>>> Resolve(const ProviderConfig& provider,
                                                                       std::chrono::milliseconds patience);
  net::Task<Result<void>> Connect(const ProviderConfig& provider, std::vector<net::asio::ip::tcp::endpoint> candidates,
                                  std::chrono::milliseconds patience);
  net::Task<Result<void>> Handshake(const ProviderConfig& provider, std::chrono::milliseconds patience);
  void StartDeadline(std::chrono::milliseconds patience);
  void EndDeadline();
  Error Failed(std::string_view step, const net::error_code& ec) const;

  Resolver resolver_;
  net::TcpSocket socket_;
  net::asio::ssl::context* tls_context_;
  std::optional<TlsStream> tls_;
  net::Timer deadline_;
  // Counts waits. A deadline that was already on its way when its wait ended sees another number and does nothing.
  std::shared_ptr<std::uint64_t> wait_number_ = std::make_shared<std::uint64_t>(0);
  bool timed_out_ = false;
  bool closed_ = false;
};

// True if the administrator's configuration allows a connection to end at `address`: the literal that was configured,
// loopback for "localhost", otherwise the public Internet only.
[[nodiscard]] bool MayReach(const ProviderConfig& provider, const boost::asio::ip::address& address);

// A client context: TLS 1.2 or newer, certificates checked against the system's authorities, or those in `ca_file`
// alone if it is not empty. kInvalidInput if that cannot be read.
Result<std::unique_ptr<net::asio::ssl::context>> MakeTlsContext(const std::string& ca_file);

}  // namespace nd::keeper
