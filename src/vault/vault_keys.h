// The keys of one vault, derived from its root key, and what is done with them: the file's seal, and the sealing and
// opening of single records (docs/formats/secrets-enc.md, "Keys").
//
// Thread-safe. The root key itself is not kept; what is derived from it lies in guarded memory.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/guarded_key.h"
#include "vault/vault_file.h"

namespace nd::vault {

class VaultKeys {
 public:
  // `root` has 32 bytes (else kInvalidInput), `vault_id` is raw.
  static Result<VaultKeys> Derive(const Secret& root, std::string_view vault_id);

  // 8 raw bytes that tell root keys apart and say nothing about them.
  const std::string& root_key_id() const { return root_key_id_; }

  std::array<char, kSealSize> Seal(std::string_view sealed_part) const;
  [[nodiscard]] bool VerifySeal(std::string_view sealed_part, std::string_view seal) const;

  // Seals `secret` into `record`, whose metadata is final, under a new data key.
  void SealRecord(SealedRecord& record, const Secret& secret, Random& random) const;
  // kInvalidInput if the record was not sealed so: under these keys, in this vault, with this metadata.
  Result<Secret> OpenRecord(const SealedRecord& record) const;

 private:
  VaultKeys(std::string vault_id, std::string root_key_id, GuardedKey wrapping, GuardedKey sealing);
  // What both ciphertexts of a record are bound to, beginning with the purpose.
  std::string KeyContext(const SealedRecord& record) const;
  std::string SecretContext(const SealedRecord& record) const;

  std::string vault_id_, root_key_id_;
  GuardedKey wrapping_, sealing_;
};

}  // namespace nd::vault
