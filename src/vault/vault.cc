#include "vault/vault.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/text.h"
#include "vault/vault_disk.h"
#include "vault/vault_file.h"
#include "vault/vault_keys.h"

namespace nd::vault {

namespace {
struct Entry {
  SealedRecord sealed;
  std::string last4;
  bool readable = true;
};
using Entries = std::map<RecordId, Entry>;

// The tail of a provider key that lists may show. Short keys and the deck's own secrets show nothing.
std::string Last4(const RecordId& id, std::string_view secret) {
  if (id.kind != RecordKind::kProviderKey || secret.size() < 16) return {};
  const std::string_view tail = secret.substr(secret.size() - 4);
  const bool printable = std::all_of(tail.begin(), tail.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return printable ? std::string(tail) : std::string();
}

RecordInfo InfoOf(const Entry& entry) {
  const SealedRecord& sealed = entry.sealed;
  return {sealed.id,         sealed.label,        entry.last4,    sealed.created_at,
          sealed.updated_at, sealed.last_used_at, sealed.version, entry.readable};
}

std::string NameOf(const RecordId& id) { return id.owner.empty() ? id.name : id.name + "/" + id.owner; }

Error Unreadable(const RecordId& id) {
  return WithCode(Error(Internal("vault: record " + NameOf(id) + " does not open")), "unreadable");
}

Error NoSuchRecord() { return NotFound("There is no such secret."); }
}  // namespace

class Vault::Impl {
 public:
  Impl(const std::string& path, RootKeySource& roots, const Clock& clock, Random& random)
      : disk_(path, roots), roots_(roots), clock_(clock), random_(random) {}

  Result<void> Open();
  Result<void> Put(const RecordId& id, std::string_view label, const Secret& secret);
  Result<void> Remove(const RecordId& id);
  Result<void> Rotate();
  Result<Secret> Expose(const RecordId& id);
  void MarkUsed(const RecordId& id) {
    Entry* const entry = Find(id);
    if (entry == nullptr) return;
    entry->sealed.last_used_at = Now();
    unwritten_use_ = true;
  }
  Result<void> FlushUse() {
    if (!unwritten_use_) return {};
    return Commit(entries_, *keys_, SealedBy::kCurrentKey);
  }
  Result<Status> Check() const;
  Status StatusNow() const;

  Entry* Find(const RecordId& id) {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const Entries& entries() const { return entries_; }
  WallTime Now() const {
    // The format has no times outside of these, and zero means never.
    static constexpr WallTime kFirst{std::chrono::microseconds(1)}, kLast{std::chrono::seconds(253'402'300'799)};
    return std::clamp(clock_.Now(), kFirst, kLast);
  }

 private:
  // Writes `next` and takes it over if it is on disk afterwards, acknowledged or not.
  Result<void> Commit(Entries next, const VaultKeys& keys, SealedBy sealed_by) {
    std::vector<const SealedRecord*> records;
    records.reserve(next.size());
    for (const auto& [id, entry] : next) records.push_back(&entry.sealed);
    const std::uint64_t before = disk_.generation();
    auto written = disk_.Write(keys, sealed_by, records);
    if (disk_.generation() != before) {
      entries_ = std::move(next);
      unwritten_use_ = false;
    }
    return written;
  }

  VaultDisk disk_;
  RootKeySource& roots_;
  const Clock& clock_;
  Random& random_;
  std::optional<VaultKeys> keys_;  // set by Open
  Entries entries_;
  bool unwritten_use_ = false;  // times of use that are not on disk
};

Result<void> Vault::Impl::Open() {
  auto loaded = disk_.Load();
  if (!loaded.ok()) {
    if (loaded.error().kind != ErrorKind::kNotFound) return std::move(loaded).error();
    ND_ASSIGN(keys_, disk_.Create(random_));
    return {};
  }
  keys_ = std::move(loaded->keys);
  for (SealedRecord& record : loaded->records) {
    const auto secret = keys_->OpenRecord(record);
    const RecordId id = record.id;
    entries_[id] = {std::move(record), secret.ok() ? Last4(id, secret->ExposeSecret()) : std::string(), secret.ok()};
  }
  if (loaded->rotation_prepared) {
    if (auto rotated = Rotate(); !rotated.ok()) {
      LogWarning("vault: an interrupted rotation could not be finished: " + rotated.error().public_text + " " +
                 rotated.error().detail);
    }
  }
  return {};
}

Result<void> Vault::Impl::Put(const RecordId& id, std::string_view label, const Secret& secret) {
  if (!IsValidId(id)) return InvalidInput("A secret's name and owner are 1 to 64 letters, digits, dots, dashes or _.");
  if (!IsValidLabel(label)) return InvalidInput("A label is at most 128 bytes of text without control characters.");
  if (secret.empty()) return InvalidInput("The secret is empty.");
  if (secret.size() > kMaxSecretSize) return TooLarge("A secret has at most 16,384 bytes.");
  Entries next = entries_;
  const auto [slot, is_new] = next.try_emplace(id);
  SealedRecord& record = slot->second.sealed;
  record.id = id;
  record.label = label;
  record.updated_at = Now();
  if (is_new) record.created_at = record.updated_at;
  if (!is_new) ++record.version;
  record.last_used_at.reset();  // the new secret was not used yet
  keys_->SealRecord(record, secret, random_);
  slot->second.last4 = Last4(id, secret.ExposeSecret());
  slot->second.readable = true;
  return Commit(std::move(next), *keys_, SealedBy::kCurrentKey);
}

Result<void> Vault::Impl::Remove(const RecordId& id) {
  Entries next = entries_;
  if (next.erase(id) == 0) return NoSuchRecord();
  return Commit(std::move(next), *keys_, SealedBy::kCurrentKey);
}

Result<Secret> Vault::Impl::Expose(const RecordId& id) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return NoSuchRecord();
  auto secret = keys_->OpenRecord(entry->sealed);
  entry->readable = secret.ok();
  if (!secret.ok()) return Unreadable(id);
  return secret;
}

Result<void> Vault::Impl::Rotate() {
  ND_TRY(disk_.Settle());
  Entries next = entries_;
  std::optional<VaultKeys> fresh;
  for (auto& [id, entry] : next) {
    // Everything is opened before a new root key is made: what does not open could not be carried over.
    if (keys_->OpenRecord(entry.sealed).ok()) continue;
    return WithCode(Conflict("A record of the vault is unreadable. Store it anew or remove it, then rotate.",
                             "vault: record " + NameOf(id) + " does not open"),
                    "unreadable");
  }
  if (roots_.can_rotate()) {
    ND_ASSIGN(const Secret root, roots_.PrepareNext(disk_.vault_id(), random_));
    ND_ASSIGN(fresh, VaultKeys::Derive(root, disk_.raw_vault_id()));
  }
  const VaultKeys& keys = fresh ? *fresh : *keys_;
  for (auto& [id, entry] : next) {
    ND_ASSIGN(const Secret secret, keys_->OpenRecord(entry.sealed));
    keys.SealRecord(entry.sealed, secret, random_);
  }
  const std::uint64_t before = disk_.generation();
  auto written = Commit(std::move(next), keys, fresh ? SealedBy::kNextKey : SealedBy::kCurrentKey);
  if (fresh && disk_.generation() != before) keys_ = std::move(fresh);
  return written;
}

Status Vault::Impl::StatusNow() const {
  Status status{disk_.path(),
                disk_.vault_id(),
                EncodeHex(keys_->root_key_id()),
                std::string(roots_.name()),
                disk_.generation(),
                entries_.size(),
                {}};
  for (const auto& [id, entry] : entries_) {
    if (!entry.readable) status.unreadable.push_back(id);
  }
  return status;
}

Result<Status> Vault::Impl::Check() const {
  ND_ASSIGN(const std::vector<SealedRecord> records, disk_.Reread(*keys_));
  Status status = StatusNow();
  status.unreadable.clear();
  for (const SealedRecord& record : records) {
    if (!keys_->OpenRecord(record).ok()) status.unreadable.push_back(record.id);
  }
  return status;
}

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::Open(const std::string& path, RootKeySource& roots, const Clock& clock,
                                           Random& random) {
  auto impl = std::make_unique<Impl>(path, roots, clock, random);
  ND_TRY(impl->Open());
  return std::unique_ptr<Vault>(new Vault(std::move(impl)));
}

std::vector<RecordInfo> Vault::List() const {
  std::vector<RecordInfo> list;
  for (const auto& [id, entry] : impl_->entries()) list.push_back(InfoOf(entry));
  return list;
}

std::optional<RecordInfo> Vault::Find(const RecordId& id) const {
  const Entry* const entry = impl_->Find(id);
  return entry == nullptr ? std::nullopt : std::optional(InfoOf(*entry));
}

Result<Secret> Vault::Expose(const RecordId& id) { return impl_->Expose(id); }

Result<RecordInfo> Vault::Put(const RecordId& id, std::string_view label, const Secret& secret) {
  ND_TRY(impl_->Put(id, label, secret));
  return InfoOf(*impl_->Find(id));
}

Result<void> Vault::Remove(const RecordId& id) { return impl_->Remove(id); }

void Vault::MarkUsed(const RecordId& id) { impl_->MarkUsed(id); }
Result<void> Vault::FlushUse() { return impl_->FlushUse(); }

Result<Status> Vault::Rotate() {
  ND_TRY(impl_->Rotate());
  return impl_->StatusNow();
}

Result<Status> Vault::Check() { return impl_->Check(); }
Status Vault::status() const { return impl_->StatusNow(); }

}  // namespace nd::vault
