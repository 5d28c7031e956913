// The messages between front and keeper, and how each is written. Layout: docs/protocol/keeper-ipc.md.
//
// Pure; thread-safe. Decoding is strict: every field within its bound, nothing left over, else kInvalidInput.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "ipc/wiping.h"
#include "keeper/client.h"

namespace nd::keeper {

enum class Message : std::uint8_t {
  // Front to keeper.
  kGetFrontSecrets = 1,
  kListProviders = 2,
  kListKeys = 3,
  kPutKey = 4,
  kDeleteKey = 5,
  kTestKey = 6,
  kStatus = 7,
  kRotate = 8,
  kRotateJwt = 9,
  kCheck = 10,
  kCallStart = 16,
  kCallBody = 17,
  kCallCredit = 18,
  kCallCancel = 19,
  // Keeper to front.
  kReply = 64,
  kError = 65,
  kCallHead = 80,
  kCallChunk = 81,
  kCallEnd = 82,
};

// Body bytes, of a request or an answer, in one frame.
inline constexpr std::size_t kMaxBodyChunk = 64 * 1024;
inline constexpr std::size_t kMaxRequestBody = 8 * 1024 * 1024;
// Answer bytes the keeper may send of one call before the front has said that it used some.
inline constexpr std::uint32_t kCallWindow = 256 * 1024;

inline constexpr std::size_t kMaxProviderName = 32;
inline constexpr std::size_t kMaxOwner = 128;
inline constexpr std::size_t kMaxLabel = 128;
inline constexpr std::size_t kMaxKey = 4096;
inline constexpr std::size_t kMaxPassedHeaders = 8;
// Keys in one answer to kListKeys; fewer say that the list ends there.
inline constexpr std::size_t kKeysPerPage = 1000;

struct PutKeyMessage {
  std::string provider, owner, label;
  Secret key;
};

// kDeleteKey and kTestKey. For kListKeys: the key after which the page begins; both empty for the first page.
struct KeyReference {
  std::string provider, owner;
};

struct CallStartMessage {
  std::string provider, user;
  Endpoint endpoint = Endpoint::kChatCompletions;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint32_t body_size = 0;  // kCallBody frames with as many bytes follow
};

ipc::Bytes Encode(const PutKeyMessage& message);
ipc::Bytes Encode(const KeyReference& message);
ipc::Bytes Encode(const CallStartMessage& message);
ipc::Bytes Encode(const CallHead& head);
ipc::Bytes Encode(const Error& error);
ipc::Bytes Encode(const FrontSecrets& secrets);
ipc::Bytes Encode(const std::vector<ProviderInfo>& providers);
ipc::Bytes Encode(const std::vector<KeyInfo>& keys);
ipc::Bytes Encode(const KeyInfo& key);
ipc::Bytes Encode(const VaultStatus& status);
ipc::Bytes EncodeNumber(std::uint64_t number);  // kCallCredit: bytes
ipc::Bytes EncodeText(std::string_view text);   // the word of kTestKey

Result<PutKeyMessage> DecodePutKey(std::string_view payload);
Result<KeyReference> DecodeKeyReference(std::string_view payload);
Result<CallStartMessage> DecodeCallStart(std::string_view payload);
Result<CallHead> DecodeCallHead(std::string_view payload);
// The error that was sent; a malformed one becomes an internal error.
Error DecodeError(std::string_view payload);
Result<FrontSecrets> DecodeFrontSecrets(std::string_view payload);
Result<std::vector<ProviderInfo>> DecodeProviders(std::string_view payload);
Result<std::vector<KeyInfo>> DecodeKeys(std::string_view payload);
Result<KeyInfo> DecodeKey(std::string_view payload);
Result<VaultStatus> DecodeStatus(std::string_view payload);
Result<std::uint64_t> DecodeNumber(std::string_view payload);
Result<std::string> DecodeText(std::string_view payload);
Result<void> DecodeEmpty(std::string_view payload);

}  // namespace nd::keeper
