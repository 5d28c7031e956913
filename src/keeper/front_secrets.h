// The secrets of the front, kept as internal records of the vault and made at first use, so that restarts log nobody
// out.
//
// Not thread-safe. What the secrets mean is the session room's affair. Records: docs/protocol/keeper-ipc.md.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "ipc/wiping.h"
#include "keeper/client.h"
#include "vault/vault.h"

namespace nd::keeper {

// The JWT keys as one record, so that a rotation is one durable change. The first signs and has no end.
struct SigningRing {
  struct Entry {
    std::string id;
    Secret key;
    WallTime verifies_until{};  // of the first: not used
  };
  std::vector<Entry> entries;
};

ipc::Bytes Encode(const SigningRing& ring);
Result<SigningRing> DecodeSigningRing(std::string_view bytes);

class FrontSecretStore {
 public:
  static constexpr std::size_t kMaxSigningKeys = 64;
  // The longest life that an access token may be given. What lifetime the tokens about have is not asked: whoever
  // rotates, a command too, may know another one than the server that signed them.
  static constexpr std::chrono::seconds kLongestLifetime{7 * 86'400};

  FrontSecretStore(vault::Vault& vault, const Clock& clock, Random& random)
      : vault_(vault), clock_(clock), random_(random) {}

  // kInternal if a record is there but does not open: it is never replaced unasked.
  Result<FrontSecrets> Load();
  // A new key signs; the one that did verifies for another kLongestLifetime. Durable when it returns. kConflict after
  // too many rotations within that time.
  Result<FrontSecrets> RotateJwt();

 private:
  Result<Secret> LoadOrMake(std::string_view name, Secret fresh);
  Result<SigningRing> LoadRing();
  Result<FrontSecrets> WithRing(SigningRing ring);
  SigningRing::Entry NewEntry();

  vault::Vault& vault_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace nd::keeper
