#include "session/tokens.h"

#include <algorithm>
#include <array>

#include "base/secret.h"
#include "base/text.h"

namespace nd::session {

namespace {

constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kSecretText = 43;  // 32 bytes in base64url
constexpr std::string_view kRefreshPrefix = "ndr_";
constexpr std::string_view kSetupPrefix = "nds_";

// 32 bytes, or nothing: '_' may occur in them, so they are found by their size and not by a separator.
std::optional<std::string> DecodeSecret(std::string_view text) {
  if (text.size() != kSecretText) return std::nullopt;
  return DecodeBase64Url(text);
}

// No field can run into the next: the id has a fixed size and the number ends the message.
std::string RefreshMessage(std::string_view session, std::uint64_t generation) {
  return std::string("neuraldeck refresh 1\n").append(session).append("\n").append(std::to_string(generation));
}

std::string RefreshStem(std::string_view session, std::uint64_t generation) {
  return std::string(kRefreshPrefix).append(session).append("_").append(std::to_string(generation)).append("_");
}

}  // namespace

std::string RandomBase32(Random& random, std::size_t size) {
  std::string text(size, '\0');
  random.Fill(text);
  for (char& c : text) c = kBase32[static_cast<unsigned char>(c) & 31];
  return text;
}

bool IsBase32(std::string_view text, std::size_t size) {
  return text.size() == size &&
         std::all_of(text.begin(), text.end(), [](char c) { return kBase32.find(c) != std::string_view::npos; });
}

std::optional<std::uint64_t> ParseGeneration(std::string_view text) {
  if (text.empty() || text.size() > 9 || text.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<RefreshToken> ParseRefreshToken(std::string_view text) {
  if (!text.starts_with(kRefreshPrefix)) return std::nullopt;
  text.remove_prefix(kRefreshPrefix.size());
  const std::string_view session = text.substr(0, kSessionIdSize);
  if (!IsBase32(session, kSessionIdSize) || text.size() <= kSessionIdSize || text[kSessionIdSize] != '_') {
    return std::nullopt;
  }
  text.remove_prefix(kSessionIdSize + 1);
  const std::size_t end = text.find('_');
  if (end == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> generation = ParseGeneration(text.substr(0, end));
  std::optional<std::string> mac = DecodeSecret(text.substr(end + 1));
  if (!generation || !mac) return std::nullopt;
  return RefreshToken{session, *generation, *std::move(mac)};
}

std::string MakeRefreshToken(const HmacSha256Key& key, std::string_view session, std::uint64_t generation) {
  const std::array<char, 32> mac = key.Sign(RefreshMessage(session, generation));
  return RefreshStem(session, generation) + EncodeBase64Url({mac.data(), mac.size()});
}

bool IsGenuine(const HmacSha256Key& key, const RefreshToken& token) {
  return key.Verify(RefreshMessage(token.session, token.generation), token.mac);
}

std::optional<AgentToken> ParseAgentToken(std::string_view text) {
  if (!text.starts_with(kAgentTokenPrefix)) return std::nullopt;
  text.remove_prefix(kAgentTokenPrefix.size());
  const std::string_view id = text.substr(0, kAgentIdSize);
  if (!IsBase32(id, kAgentIdSize) || text.size() <= kAgentIdSize || text[kAgentIdSize] != '_') return std::nullopt;
  std::optional<std::string> secret = DecodeSecret(text.substr(kAgentIdSize + 1));
  if (!secret) return std::nullopt;
  return AgentToken{id, *std::move(secret)};
}

std::string FormatAgentToken(std::string_view id, std::string_view secret) {
  return std::string(kAgentTokenPrefix).append(id).append("_").append(EncodeBase64Url(secret));
}

std::optional<std::string> ParseSetupToken(std::string_view text) {
  if (!text.starts_with(kSetupPrefix)) return std::nullopt;
  return DecodeSecret(text.substr(kSetupPrefix.size()));
}

std::string FormatSetupToken(std::string_view secret) { return std::string(kSetupPrefix) + EncodeBase64Url(secret); }

}  // namespace nd::session
