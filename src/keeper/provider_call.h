// One call of the front to a provider, from the keeper's side: sends the request, scrubs the answer, and relays it as
// fast as the front uses it.
//
// Loop thread only. Shared between its channel and its own coroutine; whichever ends last destroys it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "keeper/messages.h"
#include "keeper/scrubber.h"
#include "keeper/upstream_exchange.h"
#include "keeper/wakeup.h"

namespace nd::keeper {

class ProviderCall : public std::enable_shared_from_this<ProviderCall> {
 public:
  // Sends one frame of this call to the front.
  using SendFrame = std::function<void(Message type, std::string_view payload)>;

  ProviderCall(std::shared_ptr<Upstream> upstream, SendFrame send, std::function<void()> on_done);

  // Begins. Once. `on_done` is called on the loop when the call has sent its last frame.
  void Start(Upstream::Provider& provider, const CallStartMessage& request, std::string target, Secret key,
             std::string body);
  // False if the front gives more than the window can hold: a breach of the protocol.
  [[nodiscard]] bool AddCredit(std::uint64_t bytes);
  // Closes the connection to the provider at once; nothing is sent any more.
  void Cancel();

 private:
  static net::Task<> Run(std::shared_ptr<ProviderCall> self, Upstream::Provider& provider, ipc::Bytes head, Secret key,
                         std::string body);
  net::Task<Result<void>> Relay(Exchange& exchange, Scrubber& scrubber);
  net::Task<Result<void>> RelayError(Exchange& exchange, Scrubber& scrubber, CallHead head);
  net::Task<Result<void>> Stream(Exchange& exchange, Scrubber& scrubber);
  // Waits for credit as often as needed. False once the call is cancelled.
  net::Task<bool> SendChunks(std::string_view bytes);
  void Send(Message type, std::string_view payload);

  std::shared_ptr<Upstream> upstream_;
  SendFrame send_;
  std::function<void()> on_done_;
  Stop stop_;
  Wakeup credit_added_;
  std::uint64_t credit_ = kCallWindow;
};

// What TestKey answers: "ok", "rejected", "unreachable" or "error". The cause of the last two goes to the log.
net::Task<std::string> TestProviderKey(std::shared_ptr<Upstream> upstream, Upstream::Provider& provider,
                                       std::string target, Secret key);

}  // namespace nd::keeper
