// The vault file on disk, the root key that opens it, and the counter beside that key: reads them together, keeps the
// order of writes that no crash can turn into a lock-out or a lost change (docs/formats/secrets-enc.md, "Writing, and
// crashes"), and finishes what a crash left half done.
//
// Not thread-safe. Knows nothing of what the records are for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "vault/root_key.h"
#include "vault/vault_file.h"
#include "vault/vault_keys.h"

namespace nd::vault {

// Whether a file is sealed by the root key in force or by the one that a rotation has prepared.
enum class SealedBy { kCurrentKey, kNextKey };

class VaultDisk {
 public:
  VaultDisk(std::string path, RootKeySource& roots) : path_(std::move(path)), roots_(roots) {}

  struct Loaded {
    VaultKeys keys;
    std::vector<SealedRecord> records;
    bool rotation_prepared = false;  // a next root key waits, but the file is not sealed by it yet
  };
  // kNotFound if there is no file; else as Vault::Open. Never changes a file that it refuses.
  Result<Loaded> Load();
  // A new vault without records. kConflict if a file appeared meanwhile.
  Result<VaultKeys> Create(Random& random);

  // Writes the next generation. If generation() moved on, the records given are what the vault now holds, even if an
  // error is returned: it is then on disk, but was not acknowledged.
  Result<void> Write(const VaultKeys& keys, SealedBy sealed_by, const std::vector<const SealedRecord*>& records);
  // Brings counter and root key up to the file where an earlier failure left them behind. Write does it by itself.
  Result<void> Settle();
  // The records as they lie on disk now; kConflict if the file is not the one last read or written here.
  Result<std::vector<SealedRecord>> Reread(const VaultKeys& keys) const;

  const std::string& path() const { return path_; }
  std::string vault_id() const;  // hex
  const std::string& raw_vault_id() const { return header_.vault_id; }
  std::uint64_t generation() const { return header_.generation; }

 private:
  struct FoundKeys {
    VaultKeys keys;
    SealedBy sealed_by = SealedBy::kCurrentKey;
    bool rotation_prepared = false;
  };
  Result<FoundKeys> FindKeys(const FileHeader& header) const;
  Result<bool> CounterIsBehind(const FileHeader& header) const;
  Result<void> Acknowledge();
  void Adopt(const FileHeader& header, std::string_view seal);
  bool IsTheFileWeKnow(std::string_view bytes) const;

  const std::string path_;
  RootKeySource& roots_;
  FileHeader header_;
  std::string seal_;             // of the file as last read or written
  bool unsettled_ = false;       // the file may not be surely on disk, or counter or root key are behind it
  bool commit_pending_ = false;  // the file is sealed by the next root key
  bool lost_ = false;            // a write failed and left something unknown: no more writes
};

}  // namespace nd::vault
