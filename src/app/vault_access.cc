#include "app/vault_access.h"

#include <string_view>

#include "app/state_folder.h"
#include "base/text.h"
#include "crypto/hmac.h"

namespace nd::app {

namespace {
// Names a JWT_SECRET without telling anything of it that a signed token would not tell as well.
std::string KeyIdOf(const Secret& jwt_secret) {
  const auto digest = HmacSha256Key(jwt_secret.Clone()).Sign("neuraldeck key id");
  return "env-" + EncodeBase64Url(std::string_view(digest.data(), 12));
}
}  // namespace

Result<OpenVault> OpenVaultOf(const Options& options, const Secret& root_key, const Clock& clock, Random& random) {
  OpenVault opened;
  if (!root_key.empty()) {
    auto key = vault::DecodeRootKey(root_key.ExposeSecret());
    if (!key.ok()) {
      return InvalidInput(
          "NEURALDECK_ROOT_KEY must be 32 bytes as 64 hexadecimal digits or 43 base64url characters. Make one "
          "with: openssl rand -hex 32");
    }
    opened.roots = vault::RootKeyFromEnvironment(*std::move(key));
  } else if (options.root_key_dir.empty()) {
    return InvalidInput(
        "There is no place for the vault's root key, since neither HOME nor XDG_CONFIG_HOME is set. Name one "
        "with --root-key-dir or NEURALDECK_ROOT_KEY_DIR.");
  } else {
    opened.roots = vault::RootKeyFile(options.root_key_dir);
  }
  ND_ASSIGN(opened.vault, vault::Vault::Open(StateFolder(options.data_dir).vault(), *opened.roots, clock, random));
  return opened;
}

Result<keeper::KeeperOptions> KeeperOptionsOf(const Options& options) {
  keeper::KeeperOptions result;
  for (const std::string& text : options.providers) {
    ND_ASSIGN(keeper::ProviderConfig provider, keeper::ProviderConfig::Parse(text));
    result.providers.push_back(std::move(provider));
  }
  result.ca_file = options.provider_ca_file;
  return result;
}

session::Keys SessionKeysOf(keeper::FrontSecrets secrets, const Secret& jwt_secret) {
  session::Keys keys;
  if (!jwt_secret.empty()) keys.jwt.push_back({KeyIdOf(jwt_secret), jwt_secret.Clone()});
  for (auto& [id, key] : secrets.jwt) keys.jwt.push_back({id, std::move(key)});
  keys.csrf = std::move(secrets.csrf);
  keys.refresh = std::move(secrets.refresh);
  keys.log_hash = std::move(secrets.log_hash);
  return keys;
}

session::Options SessionOptionsOf(const Options& options, const std::string& deck_id) {
  session::Options result;
  result.deck_id = deck_id;
  result.access_lifetime = options.session_expiry;
  return result;
}

}  // namespace nd::app
