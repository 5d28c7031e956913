// The vault file's parser: whatever it accepts prints back to the very same bytes, and keeps the limits.
#include <cstdint>
#include <cstdlib>

#include "vault/vault_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nd::vault;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto header = ParseHeader(bytes);
  if (!header.ok()) return 0;
  const std::string_view seal = SealOf(bytes, *header);
  if (seal.size() != kSealSize || SealedPart(bytes, *header).size() < kHeaderSize) std::abort();
  const auto records = ParseRecords(bytes, *header);
  if (!records.ok()) return 0;
  if (records->size() > kMaxRecords || records->size() != header->record_count) std::abort();
  std::vector<const SealedRecord*> pointers;
  for (const SealedRecord& record : *records) {
    if (!IsValidId(record.id) || !IsValidLabel(record.label)) std::abort();
    if (record.body.empty() || record.body.size() > kMaxSecretSize) std::abort();
    pointers.push_back(&record);
  }
  const PrintedFile printed = PrintFile(*header, pointers);
  if (printed.sealed_part + std::string(seal) + printed.bodies != bytes) std::abort();
  return 0;
}
