// Provider keys as the keeper handles them: the vault's records of that kind, under the rules for keys.
//
// Not thread-safe. Makes no calls.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "keeper/client.h"
#include "keeper/messages.h"
#include "vault/vault.h"

namespace nd::keeper {

class KeyStore {
 public:
  explicit KeyStore(vault::Vault& vault) : vault_(vault) {}

  // Up to kKeysPerPage keys in the order of provider and owner, beginning after `after`.
  std::vector<KeyInfo> List(const KeyReference& after) const;
  // Durable when it returns. kInvalidInput for a key that could not be one, a label or an owner out of bounds.
  Result<KeyInfo> Put(const PutKeyMessage& message);
  Result<void> Remove(const KeyReference& reference);  // kNotFound
  // The key for a call by `user`: the user's own, else the global one; notes its use. kNotFound if neither is stored. A
  // key of the user's own that does not open is an error, never a reason to spend somebody else's.
  Result<Secret> ForCall(std::string_view provider, std::string_view user);

  VaultStatus Status() const;
  Result<VaultStatus> Check();
  Result<VaultStatus> Rotate();
  // Writes the times of use that ForCall noted.
  Result<void> FlushUse() { return vault_.FlushUse(); }

 private:
  vault::Vault& vault_;
};

}  // namespace nd::keeper
