// The front's side of the keeper: vault questions and provider calls over one socket pair per loop.
//
// Loop thread only. Never sees a stored provider key. If the keeper goes away every pending call fails with
// kUnavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/asio.h"
#include "net/loop.h"

namespace nd::keeper {

// One stored key as it may be shown.
struct KeyInfo {
  std::string provider;
  std::string label;
  std::string owner;  // user id, or empty for the global scope
  std::string last4;  // last four characters; empty for keys shorter than 16, so that little is given away
  WallTime created_at{}, updated_at{};
  std::optional<WallTime> last_used_at;
  bool readable = true;  // false: the record is there but does not open
};

enum class Protocol : std::uint8_t { kOpenAi, kAnthropic };

struct ProviderInfo {
  std::string name;
  Protocol protocol = Protocol::kOpenAi;
};

enum class Endpoint : std::uint8_t { kChatCompletions, kEmbeddings, kModels, kMessages };

// A call to a provider. The keeper adds address and key.
struct CallRequest {
  std::string provider;
  std::string user;  // whose keys may be used: the user's own, then the global one
  Endpoint endpoint = Endpoint::kChatCompletions;
  std::string body;  // JSON; empty for kModels
  // Header values that may pass: anthropic-version, anthropic-beta, accept. Others never do.
  std::vector<std::pair<std::string, std::string>> headers;
};

struct CallHead {
  int status = 200;          // the upstream's
  std::string content_type;  // checked to be a plain media type
  // For status >= 400: a code of letters, digits, '_' taken from the upstream's error object, or empty. Never its text.
  std::string error_code;
  std::optional<int> retry_after_seconds;
};

// One provider call in progress. Destroying it cancels the upstream call.
class Call {
 public:
  virtual ~Call() = default;
  // kUnavailable (no connection, time-out, keeper gone), kNotFound code "not_found" (no such provider or no key
  // stored).
  virtual net::Task<Result<CallHead>> Head() = 0;
  // The next bytes, scrubbed of the key; nullopt at the end. Not called for status >= 400.
  virtual net::Task<Result<std::optional<std::string>>> Next() = 0;
  // Ends the call; pending awaits fail. Safe to call from OnClientGone.
  virtual void Cancel() = 0;
};

// Secrets of the front, kept in the vault so that restarts log nobody out. See session::Keys.
struct FrontSecrets {
  std::vector<std::pair<std::string, Secret>> jwt;  // key id, key; the first signs
  Secret csrf, refresh, log_hash;
  std::string deck_id;
};

struct VaultStatus {
  std::string path;
  std::string vault_id;
  std::string root_key_id;
  std::string root_key_source;  // "file" or "environment"
  std::uint64_t generation = 0;
  std::size_t records = 0;
  std::vector<std::string> unreadable;  // "provider/owner"
};

class Client {
 public:
  // Takes the front's end of the pair.
  static std::unique_ptr<Client> Create(net::Loop& loop, UniqueFd channel);
  virtual ~Client() = default;

  virtual net::Task<Result<FrontSecrets>> GetFrontSecrets() = 0;
  virtual net::Task<Result<std::vector<ProviderInfo>>> ListProviders() = 0;
  virtual net::Task<Result<std::vector<KeyInfo>>> ListKeys() = 0;
  // Durable when it returns. kNotFound for an unconfigured provider.
  virtual net::Task<Result<KeyInfo>> PutKey(std::string provider, std::string owner, std::string label, Secret key) = 0;
  virtual net::Task<Result<void>> DeleteKey(std::string provider, std::string owner) = 0;  // kNotFound
  // Asks the provider for its models with the key; the result is a word: "ok", "rejected", "unreachable", "error".
  virtual net::Task<Result<std::string>> TestKey(std::string provider, std::string user) = 0;
  virtual net::Task<Result<VaultStatus>> Status() = 0;
  // Status after every record was opened again from the file on disk.
  virtual net::Task<Result<VaultStatus>> Check() = 0;
  // New root key (file source) and new data keys for every record, online.
  virtual net::Task<Result<VaultStatus>> Rotate() = 0;
  // New JWT signing key; the old one verifies for seven days, the longest life of a token. Returns the new ring.
  virtual net::Task<Result<FrontSecrets>> RotateJwt() = 0;
  virtual std::unique_ptr<Call> Start(CallRequest request) = 0;

  // Ends the channel: every pending and later call fails with kUnavailable. For an orderly end of the front.
  virtual void Close() = 0;
  // Called once if the keeper's end closes.
  virtual void OnLost(std::function<void()> on_lost) = 0;
};

}  // namespace nd::keeper
