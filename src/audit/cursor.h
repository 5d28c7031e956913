// Where a page of the audit log ended: a segment and a byte position in it. Opaque to clients: 20 characters of
// base64url.
//
// Pure and thread-safe. Parsing accepts only what formatting produces; whether the place exists is for the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/segment.h"

namespace nd::audit {

struct Cursor {
  Segment segment;
  std::uint64_t offset = 0;  // the records before it come next

  // 15 bytes: version 1, days since the epoch (32 bits), number of the segment (32), offset (48), big-endian.
  std::string Format() const;
  static std::optional<Cursor> Parse(std::string_view text);
};

}  // namespace nd::audit
