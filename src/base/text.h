// Text encodings: UTF-8 checks, hex, base64url (RFC 4648 section 5). Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nd {

[[nodiscard]] bool IsValidUtf8(std::string_view text);
// True if a byte below 0x20 or 0x7f is in `text`.
[[nodiscard]] bool HasControlCharacter(std::string_view text);
// ASCII only.
[[nodiscard]] bool EqualIgnoreCase(std::string_view a, std::string_view b);
[[nodiscard]] std::string LowerAscii(std::string_view text);
[[nodiscard]] std::string_view TrimSpace(std::string_view text);

// [A-Za-z0-9._-], 1 to `max_size` characters, not starting with a dot or dash: user ids, provider names, labels of ours.
[[nodiscard]] bool IsName(std::string_view text, std::size_t max_size);

[[nodiscard]] std::string EncodeHex(std::string_view bytes);
[[nodiscard]] std::optional<std::string> DecodeHex(std::string_view text);

[[nodiscard]] std::string EncodeBase64Url(std::string_view bytes);
// Strict: no padding, no white space, no foreign character, unused bits zero. Nothing else decodes.
[[nodiscard]] std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace nd
