#include "vault/vault_keys.h"

#include "crypto/aead.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"

namespace nd::vault {

namespace {
constexpr std::size_t kKeySize = 32;

std::string RandomNonce(Random& random) {
  std::string nonce(kGcmNonceSize, '\0');
  random.Fill(nonce);
  return nonce;
}

std::string Context(std::string_view purpose, std::string_view ids, const SealedRecord& record) {
  std::string context(purpose);
  context.push_back('\0');
  context.push_back(static_cast<char>(kFormatVersion >> 8));
  context.push_back(static_cast<char>(kFormatVersion & 255));
  context += ids;
  context += PrintMetadata(record);
  return context;
}
}  // namespace

VaultKeys::VaultKeys(std::string vault_id, std::string root_key_id, GuardedKey wrapping, GuardedKey sealing)
    : vault_id_(std::move(vault_id)),
      root_key_id_(std::move(root_key_id)),
      wrapping_(std::move(wrapping)),
      sealing_(std::move(sealing)) {}

Result<VaultKeys> VaultKeys::Derive(const Secret& root, std::string_view vault_id) {
  if (root.size() != kKeySize) {
    return InvalidInput("The root key does not have 32 bytes.", "it has " + std::to_string(root.size()));
  }
  const auto derive = [&](std::string_view info, std::size_t size) {
    return HkdfSha256(root.ExposeSecret(), vault_id, info, size);
  };
  const Secret id = derive("neuraldeck vault 1 root key id", kRootKeyIdSize);
  ND_ASSIGN(GuardedKey wrapping, GuardedKey::Create(derive("neuraldeck vault 1 wrapping key", kKeySize)));
  ND_ASSIGN(GuardedKey sealing, GuardedKey::Create(derive("neuraldeck vault 1 sealing key", kKeySize)));
  return VaultKeys(std::string(vault_id), std::string(id.ExposeSecret()), std::move(wrapping), std::move(sealing));
}

std::array<char, kSealSize> VaultKeys::Seal(std::string_view sealed_part) const {
  return sealing_.With([&](std::string_view key) { return HmacSha256Key(Secret(key)).Sign(sealed_part); });
}

bool VaultKeys::VerifySeal(std::string_view sealed_part, std::string_view seal) const {
  return sealing_.With([&](std::string_view key) { return HmacSha256Key(Secret(key)).Verify(sealed_part, seal); });
}

std::string VaultKeys::KeyContext(const SealedRecord& record) const {
  return Context("neuraldeck vault 1 data key", vault_id_ + root_key_id_, record);
}

std::string VaultKeys::SecretContext(const SealedRecord& record) const {
  return Context("neuraldeck vault 1 secret", vault_id_, record);
}

void VaultKeys::SealRecord(SealedRecord& record, const Secret& secret, Random& random) const {
  const Secret data_key = RandomSecret(random, kKeySize);
  record.key_nonce = RandomNonce(random);
  record.wrapped_key = wrapping_.With([&](std::string_view key) {
    return Aes256GcmSealWith(key, record.key_nonce, data_key.ExposeSecret(), KeyContext(record));
  });
  record.nonce = RandomNonce(random);
  record.body = Aes256GcmSeal(data_key, record.nonce, secret.ExposeSecret(), SecretContext(record));
  record.tag = record.body.substr(secret.size());
  record.body.resize(secret.size());
}

Result<Secret> VaultKeys::OpenRecord(const SealedRecord& record) const {
  ND_ASSIGN(const Secret data_key, wrapping_.With([&](std::string_view key) {
    return Aes256GcmOpenWith(key, record.key_nonce, record.wrapped_key, KeyContext(record));
  }));
  if (data_key.size() != kKeySize) return InvalidInput("The record does not open.", "its data key has another size");
  return Aes256GcmOpen(data_key, record.nonce, record.body + record.tag, SecretContext(record));
}

}  // namespace nd::vault
