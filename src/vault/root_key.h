// Where the root key comes from. It never lies in the workspace or the data directory.
//
// Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace nd::vault {

class RootKeySource {
 public:
  virtual ~RootKeySource() = default;
  virtual std::string_view name() const = 0;  // "file" or "environment"

  // The 32-byte root key of this vault; kNotFound if there is none yet.
  virtual Result<Secret> Load(std::string_view vault_id) = 0;
  // The key that a rotation has prepared but perhaps not finished; kNotFound normally.
  virtual Result<Secret> LoadNext(std::string_view vault_id) = 0;
  // Makes the first key durable. kForbidden if this source cannot.
  virtual Result<Secret> Create(std::string_view vault_id, Random& random) = 0;
  // Rotation in two durable steps: PrepareNext stores a second key; CommitNext makes it the only one.
  virtual bool can_rotate() const = 0;
  virtual Result<Secret> PrepareNext(std::string_view vault_id, Random& random) = 0;
  virtual Result<void> CommitNext(std::string_view vault_id) = 0;

  // The highest vault generation seen, kept beside the root key so that an older vault file is noticed; nullopt if this
  // source keeps none.
  virtual Result<std::optional<std::uint64_t>> LoadGeneration(std::string_view vault_id) = 0;
  virtual Result<void> StoreGeneration(std::string_view vault_id, std::uint64_t generation) = 0;
};

// `<directory>/<vault-id>.key`, 0600. `directory` is $XDG_CONFIG_HOME/neuraldeck or $HOME/.config/neuraldeck.
std::unique_ptr<RootKeySource> RootKeyFile(std::string directory);
// A key given by hand (NEURALDECK_ROOT_KEY, base64url or hex of 32 bytes). Cannot create, rotate or keep a generation.
std::unique_ptr<RootKeySource> RootKeyFromEnvironment(Secret key);

// Decodes 64 hex or 43 base64url characters; kInvalidInput otherwise.
Result<Secret> DecodeRootKey(std::string_view text);

}  // namespace nd::vault
