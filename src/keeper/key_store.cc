#include "keeper/key_store.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "keeper/scrubber.h"

namespace nd::keeper {

namespace {

vault::RecordId KeyRecord(std::string_view provider, std::string_view owner) {
  return {vault::RecordKind::kProviderKey, std::string(provider), std::string(owner)};
}

KeyInfo ToKeyInfo(const vault::RecordInfo& record) {
  KeyInfo key;
  key.provider = record.id.name;
  key.label = record.label;
  key.owner = record.id.owner;
  key.last4 = record.last4;
  key.created_at = record.created_at;
  key.updated_at = record.updated_at;
  key.last_used_at = record.last_used_at;
  key.readable = record.readable;
  return key;
}

VaultStatus ToVaultStatus(const vault::Status& status) {
  VaultStatus answer;
  answer.path = status.path;
  answer.vault_id = status.vault_id;
  answer.root_key_id = status.root_key_id;
  answer.root_key_source = status.root_key_source;
  answer.generation = status.generation;
  answer.records = status.records;
  for (const auto& id : status.unreadable) answer.unreadable.push_back(id.name + "/" + id.owner);
  return answer;
}

bool IsShownText(std::string_view text, std::size_t max_size) {
  return text.size() <= max_size && IsValidUtf8(text) && !HasControlCharacter(text);
}

}  // namespace

std::vector<KeyInfo> KeyStore::List(const KeyReference& after) const {
  std::vector<KeyInfo> keys;
  const vault::RecordId bound = KeyRecord(after.provider, after.owner);
  for (const auto& record : vault_.List()) {
    if (record.id.kind == vault::RecordKind::kProviderKey && record.id > bound) keys.push_back(ToKeyInfo(record));
  }
  std::sort(keys.begin(), keys.end(), [](const KeyInfo& a, const KeyInfo& b) {
    return std::tie(a.provider, a.owner) < std::tie(b.provider, b.owner);
  });
  if (keys.size() > kKeysPerPage) keys.resize(kKeysPerPage);
  return keys;
}

Result<KeyInfo> KeyStore::Put(const PutKeyMessage& message) {
  if (!IsUsableKey(message.key.ExposeSecret())) {
    return InvalidInput(
        "A provider key is 8 to 4096 visible ASCII characters without spaces. Copy it again, without quotes "
        "or line breaks.");
  }
  if (!IsShownText(message.label, kMaxLabel))
    return InvalidInput("A label is at most 128 bytes without control characters.");
  if (!IsShownText(message.owner, kMaxOwner)) return InvalidInput("A key's owner is at most 128 bytes.");
  ND_ASSIGN(const vault::RecordInfo record,
            vault_.Put(KeyRecord(message.provider, message.owner), message.label, message.key));
  return ToKeyInfo(record);
}

Result<void> KeyStore::Remove(const KeyReference& reference) {
  return vault_.Remove(KeyRecord(reference.provider, reference.owner));
}

Result<Secret> KeyStore::ForCall(std::string_view provider, std::string_view user) {
  vault::RecordId record = KeyRecord(provider, user);
  if (!user.empty() && !vault_.Find(record)) record.owner.clear();
  if (!vault_.Find(record)) {
    return NotFound(
        "No key is stored for this provider. Store one under Keys, or ask the administrator for a global one.");
  }
  auto key = vault_.Expose(record);
  if (!key.ok()) {
    Error error = std::move(key).error();
    error.public_text =
        "The key stored for this provider cannot be read. Store it again; the cause is in the server's log.";
    return error;
  }
  // Stored under older rules, or by other means.
  if (!IsUsableKey(key->ExposeSecret()))
    return Internal("the key stored for " + record.name + " cannot stand in a header");
  vault_.MarkUsed(record);
  return key;
}

VaultStatus KeyStore::Status() const { return ToVaultStatus(vault_.status()); }

Result<VaultStatus> KeyStore::Check() {
  ND_ASSIGN(const vault::Status status, vault_.Check());
  return ToVaultStatus(status);
}

Result<VaultStatus> KeyStore::Rotate() {
  ND_ASSIGN(const vault::Status status, vault_.Rotate());
  return ToVaultStatus(status);
}

}  // namespace nd::keeper
