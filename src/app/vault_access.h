// How this program comes to its vault: where the root key is, and the words for what can go wrong.
//
// Used by the keeper's process, and by a command that holds the state folder's lock.
#pragma once

#include <memory>

#include "app/environment.h"
#include "app/options.h"
#include "base/clock.h"
#include "base/random.h"
#include "keeper/keeper.h"
#include "session/sessions.h"
#include "vault/vault.h"

namespace nd::app {

// The vault and the source of its root key, which it needs for as long as it lives.
struct OpenVault {
  std::unique_ptr<vault::RootKeySource> roots;
  std::unique_ptr<vault::Vault> vault;
};

// Opens the state folder's vault, or creates it. `root_key` is the text of NEURALDECK_ROOT_KEY, or empty for the key's
// file.
Result<OpenVault> OpenVaultOf(const Options& options, const Secret& root_key, const Clock& clock, Random& random);

// The keeper's options from the settings. kInvalidInput and kForbidden name the provider.
Result<keeper::KeeperOptions> KeeperOptionsOf(const Options& options);

// What the session room gets of the vault's secrets. A JWT_SECRET given by hand signs; the vault's ring still verifies.
session::Keys SessionKeysOf(keeper::FrontSecrets secrets, const Secret& jwt_secret);

session::Options SessionOptionsOf(const Options& options, const std::string& deck_id);

}  // namespace nd::app
