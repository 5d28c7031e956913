// The texts of refresh, agent and setup tokens (docs/formats/tokens.md), and ids.
//
// Pure and thread-safe. A parsed token is only well-formed: whether it is genuine says its MAC or the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "crypto/hmac.h"

namespace nd::session {

inline constexpr std::size_t kSessionIdSize =
    26;                                          // characters of 5 random bits: 130 bits, over the 128 that OWASP asks
inline constexpr std::size_t kAgentIdSize = 16;  // 80 bits: an id only has to be unique, the secret beside it is secret
// A session that refreshes every second for a whole week stays three orders of magnitude below.
inline constexpr std::uint64_t kMaxGeneration = 999'999'999;

// `size` random characters of Crockford's base 32 in lower case: no '_', no look-alikes.
std::string RandomBase32(Random& random, std::size_t size);
bool IsBase32(std::string_view text, std::size_t size);

// Digits without sign or leading zero, 1 to kMaxGeneration.
std::optional<std::uint64_t> ParseGeneration(std::string_view text);

// "ndr_<session id>_<generation>_<MAC>". The MAC is the whole secret, so every token of a family can be computed from
// the key, and two callers that race for a successor get the identical one.
struct RefreshToken {
  std::string_view session;  // points into the text parsed
  std::uint64_t generation = 0;
  std::string mac;  // 32 bytes
};
std::optional<RefreshToken> ParseRefreshToken(std::string_view text);
std::string MakeRefreshToken(const HmacSha256Key& key, std::string_view session, std::uint64_t generation);
bool IsGenuine(const HmacSha256Key& key, const RefreshToken& token);

// "nda_<id>_<secret>".
struct AgentToken {
  std::string_view id;  // points into the text parsed
  std::string secret;   // 32 bytes
};
inline constexpr std::string_view kAgentTokenPrefix = "nda_";
std::optional<AgentToken> ParseAgentToken(std::string_view text);
std::string FormatAgentToken(std::string_view id, std::string_view secret);

// "nds_<secret>"; the result is the secret's 32 bytes.
std::optional<std::string> ParseSetupToken(std::string_view text);
std::string FormatSetupToken(std::string_view secret);

}  // namespace nd::session
