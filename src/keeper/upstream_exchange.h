// One request to a provider and its answer.
//
// Loop thread only. Knows HTTP, but neither keys nor clients: the head comes ready made.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ipc/wiping.h"
#include "keeper/upstream_connection.h"
#include "keeper/upstream_parser.h"
#include "keeper/upstream_pool.h"

namespace nd::keeper {

// All providers, with the connections to them. Held by every exchange, so that it outlives the last one.
class Upstream {
 public:
  struct Provider {
    ProviderConfig config;
    ConnectionPool pool;
    Provider(ProviderConfig provider, net::Loop& loop, const Clock& clock)
        : config(std::move(provider)), pool(loop, clock) {}
  };

  Upstream(net::Loop& loop, const Clock& clock, std::vector<ProviderConfig> providers,
           std::unique_ptr<net::asio::ssl::context> tls, UpstreamTimeouts timeouts);

  Provider* Find(std::string_view name);
  const std::vector<std::unique_ptr<Provider>>& providers() const { return providers_; }
  const UpstreamTimeouts& timeouts() const { return timeouts_; }
  net::Loop& loop() { return loop_; }
  const Clock& clock() const { return clock_; }
  std::shared_ptr<Connection> NewConnection(const ProviderConfig& provider);

 private:
  net::Loop& loop_;
  const Clock& clock_;
  std::unique_ptr<net::asio::ssl::context> tls_;
  UpstreamTimeouts timeouts_;
  std::vector<std::unique_ptr<Provider>> providers_;
};

class Exchange {
 public:
  // `provider` is one of `upstream`. `stop` outlives the exchange.
  Exchange(std::shared_ptr<Upstream> upstream, Upstream::Provider& provider, ipc::Bytes head, std::string body,
           Stop& stop);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sends the request and waits for the head of the answer. A request on a pooled connection that ended without a byte
  // of an answer is sent once more on a fresh one. kUnavailable, with the cause in the detail.
  net::Task<Result<UpstreamHead>> Begin();
  // The next bytes of the body; nullopt at its end, when the connection goes back to the pool if it can.
  net::Task<Result<std::optional<std::string>>> Next();
  // A connection was made: what failed afterwards is the provider's answer.
  bool connected() const { return connected_; }
  // For questions that no model has to think about.
  void set_first_byte_patience(std::chrono::milliseconds patience) { first_byte_patience_ = patience; }

 private:
  net::Task<Result<UpstreamHead>> Attempt();
  net::Task<Result<void>> Send();
  void Drop();

  std::shared_ptr<Upstream> upstream_;
  Upstream::Provider& provider_;
  ipc::Bytes head_;
  std::string body_;
  Stop& stop_;
  std::chrono::milliseconds first_byte_patience_;
  std::shared_ptr<Connection> connection_;
  std::optional<UpstreamParser> parser_;
  std::string arrived_;  // body bytes not yet handed out
  std::vector<char> buffer_;
  bool connected_ = false;
};

}  // namespace nd::keeper
