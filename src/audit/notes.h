// Records the log writes about itself (docs/protocol/audit-events.md, CONFIG_CHANGE).
//
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "audit/event.h"
#include "audit/recover.h"
#include "base/result.h"

namespace nd::audit {

Record StartNote();
Record StopNote();
Record TornNoteRecord(const TornNote& torn, std::string_view segment);
enum class Trouble : std::uint8_t { kDiskFull, kIoError };
Record DegradedNote(Trouble trouble, std::uint64_t refused);
// `lost` names the first and last record that were acknowledged without being synced and are gone; 0 and 0 for none.
Record HealedNote(std::uint64_t refused, std::pair<std::uint64_t, std::uint64_t> lost);
// `sequence` 0: the file holds no record.
Record RetentionNote(const std::string& file, std::uint64_t sequence, std::uint64_t bytes, const std::string& sha256);

// What an append gets when the log does not take records.
Error RefusedError();

}  // namespace nd::audit
