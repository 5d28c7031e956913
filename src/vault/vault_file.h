// The layout of secrets.enc (docs/formats/secrets-enc.md): bytes to values and back. Pure, bounded and strict; no keys,
// no files. Thread-safe.
//
// Reading goes in two steps, so that nothing but the fixed header is looked at before the seal was checked:
// ParseHeader, then the caller verifies the seal over SealedPart, then ParseRecords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "vault/vault.h"

namespace nd::vault {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::size_t kMaxFileSize = 8 * 1024 * 1024;
inline constexpr std::uint32_t kMaxRecords = 10'000;
inline constexpr std::size_t kMaxNameSize = 64;
inline constexpr std::size_t kMaxLabelSize = 128;
inline constexpr std::size_t kMaxSecretSize = 16'384;
inline constexpr std::size_t kVaultIdSize = 16;
inline constexpr std::size_t kRootKeyIdSize = 8;
inline constexpr std::size_t kHeaderSize = 50;
inline constexpr std::size_t kSealSize = 32;

struct FileHeader {
  std::string vault_id;     // raw bytes
  std::string root_key_id;  // raw bytes
  std::uint64_t generation = 1;
  std::uint32_t record_count = 0;
  std::uint32_t index_size = 0;
};

// A record as it lies in the file: its secret is sealed.
struct SealedRecord {
  RecordId id;
  std::string label;
  WallTime created_at{}, updated_at{};
  std::uint64_t version = 1;
  std::optional<WallTime> last_used_at;
  std::string key_nonce, wrapped_key, nonce, tag, body;
};

// kInvalidInput: `bytes` do not begin as a vault file of this version, or its sizes cannot be. The detail says what.
Result<FileHeader> ParseHeader(std::string_view bytes);

// What the seal covers, and the seal itself. Precondition: ParseHeader accepted `bytes`.
std::string_view SealedPart(std::string_view bytes, const FileHeader& header);
std::string_view SealOf(std::string_view bytes, const FileHeader& header);

// kInvalidInput naming the record (counted from 1) and the rule it breaks. Precondition: ParseHeader accepted `bytes`.
Result<std::vector<SealedRecord>> ParseRecords(std::string_view bytes, const FileHeader& header);

// A file in two parts: `sealed_part`, the seal (for the caller to make), `bodies`. Counts and sizes in `header` are set
// from `records`, which must be valid and in ascending order of their ids.
struct PrintedFile {
  std::string sealed_part, bodies;
};
PrintedFile PrintFile(FileHeader header, const std::vector<const SealedRecord*>& records);

// The bytes that the record's ciphertexts are bound to.
std::string PrintMetadata(const SealedRecord& record);

// Names and owners as the format allows them.
[[nodiscard]] bool IsValidId(const RecordId& id);
[[nodiscard]] bool IsValidLabel(std::string_view label);

}  // namespace nd::vault
