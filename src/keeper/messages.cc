#include "keeper/messages.h"

#include <algorithm>
#include <array>

#include "ipc/fields.h"

namespace nd::keeper {

using ipc::Bytes;
using ipc::FieldReader;
using ipc::FieldWriter;

namespace {

constexpr std::size_t kMaxShortText = 1024;
constexpr std::size_t kMaxSecret = 16 * 1024;
constexpr std::uint32_t kMaxItems = 65'536;
constexpr std::uint32_t kMaxSigningKeys = 256;

// Codes that may cross: Error::code needs static storage, so that a code from the wire is looked up, not kept.
constexpr std::array<std::string_view, 11> kCodes = {
    "invalid_request", "unauthenticated", "forbidden", "not_found",  "conflict", "too_large",
    "rate_limited",    "unavailable",     "internal",  "unreadable", "unsafe"};

// Everything else about a malformed message is said by Finish.
template <class T>
Result<T> Finished(const FieldReader& reader, T value) {
  ND_TRY(reader.Finish());
  return value;
}

void WriteTime(FieldWriter& writer, WallTime time) { writer.I64(time.time_since_epoch().count()); }
WallTime ReadTime(FieldReader& reader) { return WallTime(std::chrono::microseconds(reader.I64())); }

void WriteKey(FieldWriter& writer, const KeyInfo& key) {
  writer.Text(key.provider).Text(key.label).Text(key.owner).Text(key.last4);
  WriteTime(writer, key.created_at);
  WriteTime(writer, key.updated_at);
  writer.Bool(key.last_used_at.has_value());
  if (key.last_used_at) WriteTime(writer, *key.last_used_at);
  writer.Bool(key.readable);
}

KeyInfo ReadKey(FieldReader& reader) {
  KeyInfo key;
  key.provider = reader.TextCopy(kMaxShortText);
  key.label = reader.TextCopy(kMaxShortText);
  key.owner = reader.TextCopy(kMaxShortText);
  key.last4 = reader.TextCopy(16);
  key.created_at = ReadTime(reader);
  key.updated_at = ReadTime(reader);
  if (reader.Bool()) key.last_used_at = ReadTime(reader);
  key.readable = reader.Bool();
  return key;
}

}  // namespace

Bytes Encode(const PutKeyMessage& message) {
  Bytes bytes;
  FieldWriter(bytes).Text(message.provider).Text(message.owner).Text(message.label).Text(message.key.ExposeSecret());
  return bytes;
}

Result<PutKeyMessage> DecodePutKey(std::string_view payload) {
  FieldReader reader(payload);
  PutKeyMessage message;
  message.provider = reader.TextCopy(kMaxShortText);
  message.owner = reader.TextCopy(kMaxShortText);
  message.label = reader.TextCopy(kMaxShortText);
  message.key = reader.SecretText(kMaxSecret);
  return Finished(reader, std::move(message));
}

Bytes Encode(const KeyReference& message) {
  Bytes bytes;
  FieldWriter(bytes).Text(message.provider).Text(message.owner);
  return bytes;
}

Result<KeyReference> DecodeKeyReference(std::string_view payload) {
  FieldReader reader(payload);
  KeyReference message;
  message.provider = reader.TextCopy(kMaxShortText);
  message.owner = reader.TextCopy(kMaxShortText);
  return Finished(reader, std::move(message));
}

Bytes Encode(const CallStartMessage& message) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.Text(message.provider).Text(message.user).U8(static_cast<std::uint8_t>(message.endpoint));
  writer.U32(static_cast<std::uint32_t>(message.headers.size()));
  for (const auto& [name, value] : message.headers) writer.Text(name).Text(value);
  writer.U32(message.body_size);
  return bytes;
}

Result<CallStartMessage> DecodeCallStart(std::string_view payload) {
  FieldReader reader(payload);
  CallStartMessage message;
  message.provider = reader.TextCopy(kMaxShortText);
  message.user = reader.TextCopy(kMaxShortText);
  message.endpoint = static_cast<Endpoint>(reader.Choice(static_cast<std::uint8_t>(Endpoint::kMessages)));
  const std::uint32_t headers = reader.Count(kMaxPassedHeaders);
  for (std::uint32_t i = 0; i < headers && !reader.failed(); ++i) {
    std::string name = reader.TextCopy(kMaxShortText);
    message.headers.emplace_back(std::move(name), reader.TextCopy(kMaxShortText));
  }
  message.body_size = reader.Count(kMaxRequestBody);
  return Finished(reader, std::move(message));
}

Bytes Encode(const CallHead& head) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.U16(static_cast<std::uint16_t>(head.status)).Text(head.content_type).Text(head.error_code);
  writer.Bool(head.retry_after_seconds.has_value());
  if (head.retry_after_seconds) writer.U32(static_cast<std::uint32_t>(*head.retry_after_seconds));
  return bytes;
}

Result<CallHead> DecodeCallHead(std::string_view payload) {
  FieldReader reader(payload);
  CallHead head;
  head.status = reader.U16();
  if (head.status < 200 || head.status > 599) reader.Fail();
  head.content_type = reader.TextCopy(kMaxShortText);
  head.error_code = reader.TextCopy(64);
  if (reader.Bool()) head.retry_after_seconds = static_cast<int>(reader.Count(86'400));
  return Finished(reader, std::move(head));
}

Bytes Encode(const Error& error) {
  Bytes bytes;
  FieldWriter(bytes)
      .U8(static_cast<std::uint8_t>(error.kind))
      .Text(error.code)
      .Text(std::string_view(error.public_text).substr(0, kMaxShortText))
      .Text(std::string_view(error.detail).substr(0, kMaxShortText))
      .U32(static_cast<std::uint32_t>(std::clamp(error.retry_after_seconds, 0, 86'400)));
  return bytes;
}

Error DecodeError(std::string_view payload) {
  FieldReader reader(payload);
  Error error;
  error.kind = static_cast<ErrorKind>(reader.Choice(static_cast<std::uint8_t>(ErrorKind::kInternal)));
  const std::string_view code = reader.Text(64);
  error.public_text = reader.TextCopy(kMaxShortText);
  error.detail = reader.TextCopy(kMaxShortText);
  error.retry_after_seconds = static_cast<int>(reader.Count(86'400));
  if (!reader.Finish().ok()) return Internal("ipc: the keeper sent a malformed error");
  const auto* const known = std::find(kCodes.begin(), kCodes.end(), code);
  error.code = known == kCodes.end() ? DefaultCode(error.kind) : *known;
  return error;
}

Bytes Encode(const FrontSecrets& secrets) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.U32(static_cast<std::uint32_t>(secrets.jwt.size()));
  for (const auto& [id, key] : secrets.jwt) writer.Text(id).Text(key.ExposeSecret());
  writer.Text(secrets.csrf.ExposeSecret()).Text(secrets.refresh.ExposeSecret()).Text(secrets.log_hash.ExposeSecret());
  writer.Text(secrets.deck_id);
  return bytes;
}

Result<FrontSecrets> DecodeFrontSecrets(std::string_view payload) {
  FieldReader reader(payload);
  FrontSecrets secrets;
  const std::uint32_t count = reader.Count(kMaxSigningKeys);
  if (count == 0) reader.Fail();
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    std::string id = reader.TextCopy(64);
    secrets.jwt.emplace_back(std::move(id), reader.SecretText(kMaxSecret));
  }
  secrets.csrf = reader.SecretText(kMaxSecret);
  secrets.refresh = reader.SecretText(kMaxSecret);
  secrets.log_hash = reader.SecretText(kMaxSecret);
  secrets.deck_id = reader.TextCopy(64);
  return Finished(reader, std::move(secrets));
}

Bytes Encode(const std::vector<ProviderInfo>& providers) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.U32(static_cast<std::uint32_t>(providers.size()));
  for (const auto& provider : providers) writer.Text(provider.name).U8(static_cast<std::uint8_t>(provider.protocol));
  return bytes;
}

Result<std::vector<ProviderInfo>> DecodeProviders(std::string_view payload) {
  FieldReader reader(payload);
  std::vector<ProviderInfo> providers;
  const std::uint32_t count = reader.Count(kMaxItems);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    std::string name = reader.TextCopy(kMaxShortText);
    providers.push_back({std::move(name), static_cast<Protocol>(reader.Choice(1))});
  }
  return Finished(reader, std::move(providers));
}

Bytes Encode(const std::vector<KeyInfo>& keys) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.U32(static_cast<std::uint32_t>(keys.size()));
  for (const auto& key : keys) WriteKey(writer, key);
  return bytes;
}

Result<std::vector<KeyInfo>> DecodeKeys(std::string_view payload) {
  FieldReader reader(payload);
  std::vector<KeyInfo> keys;
  const std::uint32_t count = reader.Count(kMaxItems);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) keys.push_back(ReadKey(reader));
  return Finished(reader, std::move(keys));
}

Bytes Encode(const KeyInfo& key) {
  Bytes bytes;
  FieldWriter writer(bytes);
  WriteKey(writer, key);
  return bytes;
}

Result<KeyInfo> DecodeKey(std::string_view payload) {
  FieldReader reader(payload);
  KeyInfo key = ReadKey(reader);
  return Finished(reader, std::move(key));
}

Bytes Encode(const VaultStatus& status) {
  Bytes bytes;
  FieldWriter writer(bytes);
  writer.Text(status.path).Text(status.vault_id).Text(status.root_key_id).Text(status.root_key_source);
  writer.U64(status.generation).U64(status.records);
  writer.U32(static_cast<std::uint32_t>(status.unreadable.size()));
  for (const auto& name : status.unreadable) writer.Text(name);
  return bytes;
}

Result<VaultStatus> DecodeStatus(std::string_view payload) {
  FieldReader reader(payload);
  VaultStatus status;
  status.path = reader.TextCopy(4096);
  status.vault_id = reader.TextCopy(kMaxShortText);
  status.root_key_id = reader.TextCopy(kMaxShortText);
  status.root_key_source = reader.TextCopy(kMaxShortText);
  status.generation = reader.U64();
  status.records = reader.U64();
  const std::uint32_t count = reader.Count(kMaxItems);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i)
    status.unreadable.push_back(reader.TextCopy(kMaxShortText));
  return Finished(reader, std::move(status));
}

Bytes EncodeNumber(std::uint64_t number) {
  Bytes bytes;
  FieldWriter(bytes).U64(number);
  return bytes;
}

Result<std::uint64_t> DecodeNumber(std::string_view payload) {
  FieldReader reader(payload);
  const std::uint64_t number = reader.U64();
  return Finished(reader, number);
}

Bytes EncodeText(std::string_view text) {
  Bytes bytes;
  FieldWriter(bytes).Text(text);
  return bytes;
}

Result<std::string> DecodeText(std::string_view payload) {
  FieldReader reader(payload);
  std::string text = reader.TextCopy(kMaxShortText);
  return Finished(reader, std::move(text));
}

Result<void> DecodeEmpty(std::string_view payload) { return FieldReader(payload).Finish(); }

}  // namespace nd::keeper
