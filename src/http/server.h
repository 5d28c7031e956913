// The HTTP/1.1 server of one loop: listeners, connections, limits, graceful stop. One Server per net::Loop; the
// listeners of several loops share a port by SO_REUSEPORT.
//
// Loop thread only, except ConnectionTable, which all loops share. Knows no routes and no sessions. TLS comes in below
// it, in net/.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "http/exchange.h"
#include "http/limits.h"

namespace nd::http {

// Open connections of the whole process, by address (/64 for IPv6). Thread-safe.
class ConnectionTable {
 public:
  explicit ConnectionTable(const Limits& limits) : limits_(limits) {}
  // False if the address or the process has its share already.
  bool Admit(const boost::asio::ip::address& peer);
  void Leave(const boost::asio::ip::address& peer);
  std::size_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  const Limits limits_;
  std::atomic<std::size_t> total_{0};
  Mutex mutex_;
  std::unordered_map<std::string, std::size_t> by_address_ ND_GUARDED_BY(mutex_);
};

class Server {
 public:
  // Everything given outlives the server. `clock` feeds deadlines, the Date field and request ids.
  Server(net::Loop& loop, Application& application, const Limits& limits, ConnectionTable& connections,
         const Clock& clock, Random& random);
  ~Server();

  // Binds and accepts. With `reuse_port`, loops share the port; the caller first proves with a plain bind that no other
  // process has it. Port 0 takes a free one. kConflict (address in use), kForbidden, kInvalidInput.
  Result<void> Listen(const boost::asio::ip::tcp::endpoint& endpoint, bool reuse_port);
  boost::asio::ip::tcp::endpoint local_endpoint() const;

  // Stops accepting, closes idle connections, lets running exchanges finish, calls `done` when the last connection is
  // gone or after `patience`, when the rest is closed.
  void StopGracefully(std::chrono::milliseconds patience, std::function<void()> done);

  // Serves one already connected socket (tests, socket activation). Loop thread only.
  void Adopt(net::TcpSocket socket);

  // Holds every connection against its deadlines, by the clock given. Runs several times a second by itself; tests call
  // it after driving the clock. Loop thread only.
  void Sweep();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::http
