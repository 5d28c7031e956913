// The keeper: the process that holds the vault and makes the provider calls. This is its main object; it serves one
// channel per loop of the front.
//
// Loop thread only, one loop. Confining the process and forking it are the app's affair.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/random.h"
#include "base/result.h"
#include "keeper/provider.h"
#include "keeper/upstream_timeouts.h"
#include "net/loop.h"
#include "vault/vault.h"

namespace nd::keeper {

struct KeeperOptions {
  std::vector<ProviderConfig> providers;
  std::string ca_file;  // certificate authorities for providers; empty: the system's
  UpstreamTimeouts timeouts;
  std::chrono::milliseconds use_flush_interval{300'000};  // between writes of the times when keys were used
};

class Keeper {
 public:
  // Reads the certificate authorities. kInvalidInput if they cannot be read or two providers share a name.
  static Result<std::unique_ptr<Keeper>> Create(net::Loop& loop, vault::Vault& vault, KeeperOptions options,
                                                const Clock& clock, Random& random);
  // Cancels every call. Their coroutines end on the loop, or with it. Writes when keys were last used.
  ~Keeper();

  // Serves the keeper's end of a pair made by ipc::MakePair; the other goes to Client::Create.
  void AddChannel(UniqueFd fd);
  // Called each time the last channel has closed: the front is gone.
  void OnAlone(std::function<void()> on_alone);

 private:
  class Impl;
  explicit Keeper(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::keeper
