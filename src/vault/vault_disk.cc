#include "vault/vault_disk.h"

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

namespace nd::vault {

namespace {
std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string Join(const PrintedFile& printed, std::string_view seal) {
  std::string bytes;
  bytes.reserve(printed.sealed_part.size() + seal.size() + printed.bodies.size());
  bytes += printed.sealed_part;
  bytes += seal;
  bytes += printed.bodies;
  return bytes;
}

// Why the seal may not fit: the records tell more than the seal can.
Error Diagnose(std::string_view bytes, const FileHeader& header, const VaultKeys& keys) {
  auto records = ParseRecords(bytes, header);
  if (!records.ok()) return std::move(records).error();
  std::string closed;
  for (const SealedRecord& record : *records) {
    if (keys.OpenRecord(record).ok()) continue;
    closed += (closed.empty() ? "" : ", ") + record.id.name + (record.id.owner.empty() ? "" : "/" + record.id.owner);
  }
  return InvalidInput("The vault file is damaged.",
                      closed.empty() ? "its seal does not fit its header and index, though every record opens"
                                     : "its seal does not fit, and these records do not open: " + closed);
}
}  // namespace

std::string VaultDisk::vault_id() const { return EncodeHex(header_.vault_id); }

void VaultDisk::Adopt(const FileHeader& header, std::string_view seal) {
  header_ = header;
  seal_ = seal;
}

bool VaultDisk::IsTheFileWeKnow(std::string_view bytes) const {
  const auto header = ParseHeader(bytes);
  return header.ok() && SealOf(bytes, *header) == seal_;
}

Result<VaultDisk::FoundKeys> VaultDisk::FindKeys(const FileHeader& header) const {
  const std::string vault_id = EncodeHex(header.vault_id);
  auto current = roots_.Load(vault_id);
  auto next = roots_.LoadNext(vault_id);
  std::string seen;
  if (current.ok()) {
    ND_ASSIGN(VaultKeys keys, VaultKeys::Derive(*current, header.vault_id));
    if (keys.root_key_id() == header.root_key_id) {
      if (!next.ok() && next.error().kind != ErrorKind::kNotFound) {
        LogWarning("vault: the next root key of an interrupted rotation is not readable: " + next.error().detail);
      }
      return FoundKeys{std::move(keys), SealedBy::kCurrentKey, next.ok()};
    }
    seen = EncodeHex(keys.root_key_id());
  }
  if (next.ok()) {
    ND_ASSIGN(VaultKeys keys, VaultKeys::Derive(*next, header.vault_id));
    if (keys.root_key_id() == header.root_key_id) return FoundKeys{std::move(keys), SealedBy::kNextKey, false};
    seen += (seen.empty() ? "" : " and ") + EncodeHex(keys.root_key_id());
  }
  if (!current.ok() && current.error().kind != ErrorKind::kNotFound) return std::move(current).error();
  if (!next.ok() && next.error().kind != ErrorKind::kNotFound) return std::move(next).error();
  const std::string sealed_by = path_ + " is sealed by root key " + EncodeHex(header.root_key_id);
  if (seen.empty()) {
    return InvalidInput("The root key of this vault is missing.",
                        sealed_by + ", and the source '" + std::string(roots_.name()) + "' has none for vault " +
                            vault_id + ": " + current.error().detail);
  }
  return InvalidInput("The root key is not the one of this vault.",
                      sealed_by + ", but the source '" + std::string(roots_.name()) + "' gave " + seen);
}

Result<bool> VaultDisk::CounterIsBehind(const FileHeader& header) const {
  ND_ASSIGN(const std::optional<std::uint64_t> counter, roots_.LoadGeneration(EncodeHex(header.vault_id)));
  if (!counter) return true;
  const std::string both = path_ + " has generation " + std::to_string(header.generation) +
                           ", the counter beside the root key says " + std::to_string(*counter);
  if (header.generation < *counter) {
    return Conflict("The vault file is older than the newest one that was written.",
                    both + "; if an older copy was restored on purpose, delete the .generation file of vault " +
                        EncodeHex(header.vault_id));
  }
  if (header.generation - *counter > 1) {
    return Conflict("The vault file and the counter beside its root key do not belong together.",
                    both + "; if the counter was restored from an older copy, delete the .generation file of vault " +
                        EncodeHex(header.vault_id));
  }
  return header.generation != *counter;
}

Result<VaultDisk::Loaded> VaultDisk::Load() {
  ND_TRY(EnsurePrivateDirectory(DirectoryOf(path_)));
  auto bytes = ReadTextFile(path_, kMaxFileSize);
  if (!bytes.ok()) return std::move(bytes).error();
  ND_TRY(RequirePrivateFile(path_));
  const auto at_path = [this](Error error) { return std::move(error).At(path_); };
  auto header = ParseHeader(*bytes);
  if (!header.ok()) return at_path(std::move(header).error());
  ND_ASSIGN(FoundKeys found, FindKeys(*header));
  if (!found.keys.VerifySeal(SealedPart(*bytes, *header), SealOf(*bytes, *header))) {
    return at_path(Diagnose(*bytes, *header, found.keys));
  }
  auto records = ParseRecords(*bytes, *header);
  if (!records.ok()) return at_path(std::move(records).error());
  ND_ASSIGN(const bool behind, CounterIsBehind(*header));

  Adopt(*header, SealOf(*bytes, *header));
  commit_pending_ = found.sealed_by == SealedBy::kNextKey;
  unsettled_ = behind || commit_pending_;
  if (auto settled = Settle(); !settled.ok()) {
    LogWarning("vault: opened, but takes no changes until this is mended: " + settled.error().public_text + " " +
               settled.error().detail);
  }
  return Loaded{std::move(found.keys), *std::move(records), found.rotation_prepared};
}

Result<VaultKeys> VaultDisk::Create(Random& random) {
  FileHeader header;
  header.vault_id.resize(kVaultIdSize);
  random.Fill(header.vault_id);
  const std::string vault_id = EncodeHex(header.vault_id);
  auto root = roots_.Load(vault_id);
  if (!root.ok() && root.error().kind == ErrorKind::kNotFound) root = roots_.Create(vault_id, random);
  if (!root.ok()) return std::move(root).error();
  ND_ASSIGN(VaultKeys keys, VaultKeys::Derive(*root, header.vault_id));
  header.root_key_id = keys.root_key_id();

  const PrintedFile printed = PrintFile(header, {});
  const auto seal = keys.Seal(printed.sealed_part);
  const std::string_view seal_view(seal.data(), seal.size());
  ND_TRY(EnsurePrivateDirectory(DirectoryOf(path_)));
  ND_TRY(CreateFileDurably(path_, Join(printed, seal_view)));
  Adopt(header, seal_view);
  unsettled_ = true;
  ND_TRY(Acknowledge());
  return keys;
}

Result<void> VaultDisk::Acknowledge() {
  ND_TRY(roots_.StoreGeneration(vault_id(), header_.generation));
  if (commit_pending_) ND_TRY(roots_.CommitNext(vault_id()));
  commit_pending_ = false;
  unsettled_ = false;
  return {};
}

Result<void> VaultDisk::Settle() {
  if (!unsettled_) return {};
  // The file may lie in the page cache alone, its rename unsynced. Counter and root key must not get ahead of it.
  ND_ASSIGN(const std::string bytes, ReadTextFile(path_, kMaxFileSize));
  if (!IsTheFileWeKnow(bytes)) return Conflict("The vault file was changed by someone else.", path_);
  ND_TRY(ReplaceFileDurably(path_, bytes));
  return Acknowledge();
}

Result<void> VaultDisk::Write(const VaultKeys& keys, SealedBy sealed_by,
                              const std::vector<const SealedRecord*>& records) {
  if (lost_) {
    return Unavailable("The vault takes no changes since a write failed. Restart the server when the disk works again.",
                       path_ + ": an earlier write left the file in an unknown state");
  }
  ND_TRY(Settle());
  if (records.size() > kMaxRecords) return TooLarge("The vault is full.", "10,000 records");
  FileHeader header = header_;
  header.root_key_id = keys.root_key_id();
  ++header.generation;
  const PrintedFile printed = PrintFile(header, records);
  const auto seal = keys.Seal(printed.sealed_part);
  const std::string_view seal_view(seal.data(), seal.size());
  const std::string bytes = Join(printed, seal_view);
  if (bytes.size() > kMaxFileSize) return TooLarge("The vault is full.", "the file would be larger than 8 MiB");

  auto written = ReplaceFileDurably(path_, bytes);
  if (!written.ok()) {
    const auto now = ReadTextFile(path_, kMaxFileSize);
    if (now.ok() && IsTheFileWeKnow(*now)) return written;
    if (!now.ok() || *now != bytes) {
      lost_ = true;
      return written;
    }
  }
  Adopt(header, seal_view);
  commit_pending_ = sealed_by == SealedBy::kNextKey;
  unsettled_ = true;
  if (!written.ok()) return written;
  return Acknowledge();
}

Result<std::vector<SealedRecord>> VaultDisk::Reread(const VaultKeys& keys) const {
  ND_ASSIGN(const std::string bytes, ReadTextFile(path_, kMaxFileSize));
  ND_ASSIGN(const FileHeader header, ParseHeader(bytes));
  if (!keys.VerifySeal(SealedPart(bytes, header), SealOf(bytes, header))) return Diagnose(bytes, header, keys);
  if (SealOf(bytes, header) != seal_) {
    return Conflict("The vault file on disk is not the one in use.",
                    path_ + " has generation " + std::to_string(header.generation) + ", in use is " +
                        std::to_string(header_.generation));
  }
  return ParseRecords(bytes, header);
}

}  // namespace nd::vault
