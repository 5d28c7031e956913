#include "vault/vault_file.h"

#include <algorithm>

#include "base/text.h"

namespace nd::vault {

namespace {
constexpr std::string_view kMagic("NDVAULT\n", 8);
constexpr std::int64_t kMaxTime = 253'402'300'799'999'999;  // the last microsecond of the year 9999
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kWrappedKeySize = 48;
constexpr std::size_t kTagSize = 16;

// Takes fields off the front; once it failed it gives nothing more.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view Bytes(std::size_t size) {
    if (rest_.size() < size) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint64_t Number(std::size_t size) {
    std::uint64_t number = 0;
    for (const char c : Bytes(size)) number = number << 8 | static_cast<unsigned char>(c);
    return number;
  }
  std::string_view ShortText() { return Bytes(static_cast<std::size_t>(Number(1))); }

  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

void AppendNumber(std::string& out, std::uint64_t number, std::size_t size) {
  for (std::size_t shift = size * 8; shift > 0; shift -= 8)
    out.push_back(static_cast<char>(number >> (shift - 8) & 255));
}

void AppendShortText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size(), 1);
  out += text;
}

void AppendTime(std::string& out, WallTime time) {
  AppendNumber(out, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
}

WallTime ToTime(std::uint64_t micros) { return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(micros))); }

Error Damaged(std::string what) { return InvalidInput("The vault file is damaged.", std::move(what)); }

struct Entry {
  SealedRecord record;
  std::size_t body_size = 0;
};

// The rule that the entry breaks, or null.
const char* ReadEntry(Reader& reader, Entry& entry) {
  SealedRecord& record = entry.record;
  const std::uint64_t kind = reader.Number(1);
  record.id.name = reader.ShortText();
  record.id.owner = reader.ShortText();
  record.label = reader.ShortText();
  const std::uint64_t created = reader.Number(8);
  const std::uint64_t updated = reader.Number(8);
  record.version = reader.Number(8);
  const std::uint64_t used = reader.Number(8);
  record.key_nonce = reader.Bytes(kNonceSize);
  record.wrapped_key = reader.Bytes(kWrappedKeySize);
  record.nonce = reader.Bytes(kNonceSize);
  entry.body_size = reader.Number(4);
  record.tag = reader.Bytes(kTagSize);

  if (reader.failed()) return "it goes over the end of the index";
  if (kind != 1 && kind != 2) return "its kind is unknown";
  record.id.kind = static_cast<RecordKind>(kind);
  if (!IsValidId(record.id)) return "its name or owner is not allowed";
  if (!IsValidLabel(record.label)) return "its label is not allowed";
  if (created > kMaxTime || updated > kMaxTime || used > kMaxTime) return "one of its times is out of range";
  if (record.version == 0) return "its version is zero";
  if (entry.body_size == 0 || entry.body_size > kMaxSecretSize) return "the size of its secret is out of range";
  record.created_at = ToTime(created);
  record.updated_at = ToTime(updated);
  if (used != 0) record.last_used_at = ToTime(used);
  return nullptr;
}
}  // namespace

bool IsValidId(const RecordId& id) {
  // A user's name may be an address: '@' counts as a letter in owners, except in first place.
  std::string owner = id.owner;
  if (!owner.starts_with('@')) std::replace(owner.begin(), owner.end(), '@', '_');
  return IsName(id.name, kMaxNameSize) && (owner.empty() || IsName(owner, kMaxNameSize));
}

bool IsValidLabel(std::string_view label) {
  return label.size() <= kMaxLabelSize && IsValidUtf8(label) && !HasControlCharacter(label);
}

Result<FileHeader> ParseHeader(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return InvalidInput("The file is not a vault file.", "it does not begin with the mark of a vault file");
  }
  if (bytes.size() > kMaxFileSize) return Damaged("it is larger than " + std::to_string(kMaxFileSize) + " bytes");
  if (bytes.size() < kHeaderSize + kSealSize) {
    return Damaged("it is cut off: " + std::to_string(bytes.size()) + " bytes are less than header and seal");
  }
  Reader reader(bytes.substr(kMagic.size()));
  const std::uint64_t version = reader.Number(2);
  if (version != kFormatVersion) {
    return InvalidInput(
        "The vault file has a format that this version of the deck does not read.",
        "its format version is " + std::to_string(version) + ", only " + std::to_string(kFormatVersion) + " is read");
  }
  FileHeader header;
  header.vault_id = reader.Bytes(kVaultIdSize);
  header.root_key_id = reader.Bytes(kRootKeyIdSize);
  header.generation = reader.Number(8);
  header.record_count = static_cast<std::uint32_t>(reader.Number(4));
  header.index_size = static_cast<std::uint32_t>(reader.Number(4));
  if (header.generation == 0) return Damaged("its generation is zero");
  if (header.record_count > kMaxRecords) {
    return Damaged("it says it has " + std::to_string(header.record_count) + " records, more than allowed");
  }
  if (header.index_size > bytes.size() - kHeaderSize - kSealSize) {
    return Damaged("it is cut off, or the size of its index is wrong: an index of " +
                   std::to_string(header.index_size) + " bytes does not fit into " + std::to_string(bytes.size()));
  }
  return header;
}

std::string_view SealedPart(std::string_view bytes, const FileHeader& header) {
  return bytes.substr(0, kHeaderSize + header.index_size);
}

std::string_view SealOf(std::string_view bytes, const FileHeader& header) {
  return bytes.substr(kHeaderSize + header.index_size, kSealSize);
}

Result<std::vector<SealedRecord>> ParseRecords(std::string_view bytes, const FileHeader& header) {
  Reader index(bytes.substr(kHeaderSize, header.index_size));
  Reader bodies(bytes.substr(kHeaderSize + header.index_size + kSealSize));
  std::vector<SealedRecord> records;
  for (std::uint32_t number = 1; number <= header.record_count; ++number) {
    const auto broken = [&](const char* rule) { return Damaged("record " + std::to_string(number) + ": " + rule); };
    Entry entry;
    if (const char* rule = ReadEntry(index, entry); rule != nullptr) return broken(rule);
    if (!records.empty() && !(records.back().id < entry.record.id)) return broken("it is out of order or there twice");
    entry.record.body = bodies.Bytes(entry.body_size);
    if (bodies.failed()) return broken("the file is cut off within its secret");
    records.push_back(std::move(entry.record));
  }
  if (!index.empty()) return Damaged("its index goes on after the last record");
  if (!bodies.empty()) return Damaged("something follows after its end");
  return records;
}

std::string PrintMetadata(const SealedRecord& record) {
  std::string out;
  AppendNumber(out, static_cast<std::uint64_t>(record.id.kind), 1);
  AppendShortText(out, record.id.name);
  AppendShortText(out, record.id.owner);
  AppendShortText(out, record.label);
  AppendTime(out, record.created_at);
  AppendTime(out, record.updated_at);
  AppendNumber(out, record.version, 8);
  return out;
}

PrintedFile PrintFile(FileHeader header, const std::vector<const SealedRecord*>& records) {
  std::string index;
  PrintedFile printed;
  for (const SealedRecord* record : records) {
    index += PrintMetadata(*record);
    AppendTime(index, record->last_used_at.value_or(WallTime{}));
    index += record->key_nonce;
    index += record->wrapped_key;
    index += record->nonce;
    AppendNumber(index, record->body.size(), 4);
    index += record->tag;
    printed.bodies += record->body;
  }
  std::string& out = printed.sealed_part;
  out.reserve(kHeaderSize + index.size());
  out += kMagic;
  AppendNumber(out, kFormatVersion, 2);
  out += header.vault_id;
  out += header.root_key_id;
  AppendNumber(out, header.generation, 8);
  AppendNumber(out, records.size(), 4);
  AppendNumber(out, index.size(), 4);
  out += index;
  return printed;
}

}  // namespace nd::vault
