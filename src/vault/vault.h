// The vault: every secret the deck keeps, sealed in one file that tells when it was touched.
// Format: docs/formats/secrets-enc.md.
//
// Belongs to one process (the keeper, or a command while no server runs) which holds the state folder's lock; not
// thread-safe. Every change is durable when its call returns, and after a crash at any instant the old or the new
// state is there, whole. Not a general key-value store, and never a way around the keeper: nothing else opens it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "vault/root_key.h"

namespace nd::vault {

// Whose secret it is and what for. `owner` is a user id, or empty for everyone (global). Internal secrets of the deck
// use kind kInternal, where `name` is e.g. "csrf".
enum class RecordKind : std::uint8_t { kProviderKey = 1, kInternal = 2 };

struct RecordId {
  RecordKind kind = RecordKind::kProviderKey;
  std::string name;  // provider, or the internal secret's name
  std::string owner;
  friend auto operator<=>(const RecordId&, const RecordId&) = default;
};

// What may be known of a record without opening it.
struct RecordInfo {
  RecordId id;
  std::string label;
  std::string last4;
  WallTime created_at{}, updated_at{};
  std::optional<WallTime> last_used_at;  // kept in memory until FlushUse or the next change
  std::uint64_t version = 1;
  bool readable = true;
};

struct Status {
  std::string path;
  std::string vault_id;
  std::string root_key_id;
  std::string root_key_source;
  std::uint64_t generation = 0;
  std::size_t records = 0;
  std::vector<RecordId> unreadable;
};

class Vault {
 public:
  // Opens `path`, or creates it with a new vault id if it does not exist and `roots` can create or has a root key.
  // Opens every record once (status() lists what does not open) and finishes what a crash interrupted, a rotation too.
  // A file that is refused is not touched. kForbidden (modes, owner), kInvalidInput (not a vault file, damaged, root
  // key missing or wrong: each says which), kTooLarge (over 8 MiB), kConflict (older than the counter kept beside the
  // root key: rollback), kUnavailable (disk).
  static Result<std::unique_ptr<Vault>> Open(const std::string& path, RootKeySource& roots, const Clock& clock,
                                             Random& random);
  ~Vault();

  std::vector<RecordInfo> List() const;
  std::optional<RecordInfo> Find(const RecordId& id) const;
  // kNotFound; kInternal "unreadable" if the record does not open.
  Result<Secret> Expose(const RecordId& id);
  // Creates or replaces. Secret 1 to 16,384 bytes, label at most 128; name and owner are names of at most 64 characters
  // (base/text.h; an owner may hold '@'). kInvalidInput, kTooLarge (also: the vault is full), kUnavailable, kConflict (someone else changed
  // the file). After an error of the disk the change may still be found done, whole, but was not acknowledged; so too
  // below.
  Result<RecordInfo> Put(const RecordId& id, std::string_view label, const Secret& secret);
  Result<void> Remove(const RecordId& id);  // kNotFound
  void MarkUsed(const RecordId& id);
  // Writes the times of use, if there are any that no change has written. Errors as Put.
  Result<void> FlushUse();
  // New root key where the source allows it, and new data keys for every record. Can be killed at any instant.
  // kConflict "unreadable" if a record does not open, since it could not be carried over.
  Result<Status> Rotate();
  // Opens every record again from the file on disk. kInvalidInput (damaged), kConflict (not the file in use).
  Result<Status> Check();
  Status status() const;

 private:
  class Impl;
  explicit Vault(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::vault
