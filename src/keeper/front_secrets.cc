#include "keeper/front_secrets.h"

#include <algorithm>

#include "base/text.h"
#include "ipc/fields.h"

namespace nd::keeper {

namespace {

constexpr std::size_t kSecretSize = 32;
constexpr std::uint8_t kRingVersion = 1;

vault::RecordId InternalRecord(std::string_view name) {
  return {vault::RecordKind::kInternal, std::string(name), std::string()};
}

}  // namespace

ipc::Bytes Encode(const SigningRing& ring) {
  ipc::Bytes bytes;
  ipc::FieldWriter writer(bytes);
  writer.U8(kRingVersion).U32(static_cast<std::uint32_t>(ring.entries.size()));
  for (const auto& entry : ring.entries) {
    writer.Text(entry.id).Text(entry.key.ExposeSecret()).I64(entry.verifies_until.time_since_epoch().count());
  }
  return bytes;
}

Result<SigningRing> DecodeSigningRing(std::string_view bytes) {
  ipc::FieldReader reader(bytes);
  SigningRing ring;
  if (reader.U8() != kRingVersion) reader.Fail();
  const std::uint32_t count = reader.Count(FrontSecretStore::kMaxSigningKeys);
  if (count == 0) reader.Fail();
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    SigningRing::Entry entry;
    entry.id = reader.TextCopy(64);
    entry.key = reader.SecretText(kSecretSize);
    if (entry.id.empty() || entry.key.size() != kSecretSize) reader.Fail();
    entry.verifies_until = WallTime(std::chrono::microseconds(reader.I64()));
    ring.entries.push_back(std::move(entry));
  }
  ND_TRY(reader.Finish());
  return ring;
}

Result<Secret> FrontSecretStore::LoadOrMake(std::string_view name, Secret fresh) {
  const vault::RecordId id = InternalRecord(name);
  if (vault_.Find(id)) return vault_.Expose(id);
  ND_TRY(vault_.Put(id, {}, fresh));
  return fresh;
}

SigningRing::Entry FrontSecretStore::NewEntry() {
  // A letter first: a key id may begin with nothing but a letter or digit, and base64url may begin with a dash.
  return {"k" + RandomId(random_, 9), RandomSecret(random_, kSecretSize), WallTime()};
}

Result<SigningRing> FrontSecretStore::LoadRing() {
  SigningRing first;
  first.entries.push_back(NewEntry());
  const ipc::Bytes fresh = Encode(first);
  ND_ASSIGN(const Secret record, LoadOrMake("jwt", Secret(ipc::View(fresh))));
  ND_ASSIGN(SigningRing ring, DecodeSigningRing(record.ExposeSecret()));
  const WallTime now = clock_.Now();
  const auto ended = [&](const SigningRing::Entry& entry) {
    return &entry != &ring.entries.front() && entry.verifies_until <= now;
  };
  // By hand: erase_if would move entries under the comparison with the first one.
  std::vector<SigningRing::Entry> kept;
  for (auto& entry : ring.entries) {
    if (!ended(entry)) kept.push_back(std::move(entry));
  }
  ring.entries = std::move(kept);
  return ring;
}

Result<FrontSecrets> FrontSecretStore::WithRing(SigningRing ring) {
  FrontSecrets secrets;
  for (auto& entry : ring.entries) secrets.jwt.emplace_back(std::move(entry.id), std::move(entry.key));
  ND_ASSIGN(secrets.csrf, LoadOrMake("csrf", RandomSecret(random_, kSecretSize)));
  ND_ASSIGN(secrets.refresh, LoadOrMake("refresh", RandomSecret(random_, kSecretSize)));
  ND_ASSIGN(secrets.log_hash, LoadOrMake("log-hash", RandomSecret(random_, kSecretSize)));
  // A name, not a secret: it stands in cookie names and in the issuer of tokens.
  const Secret entropy = RandomSecret(random_, 6);
  ND_ASSIGN(const Secret deck_id, LoadOrMake("deck-id", Secret(EncodeHex(entropy.ExposeSecret()))));
  secrets.deck_id = std::string(deck_id.ExposeSecret());
  return secrets;
}

Result<FrontSecrets> FrontSecretStore::Load() {
  ND_ASSIGN(SigningRing ring, LoadRing());
  return WithRing(std::move(ring));
}

Result<FrontSecrets> FrontSecretStore::RotateJwt() {
  ND_ASSIGN(SigningRing ring, LoadRing());
  if (ring.entries.size() >= kMaxSigningKeys) {
    return Conflict("The signing key was rotated too often within seven days. Wait until older tokens expire.");
  }
  ring.entries.front().verifies_until = clock_.Now() + kLongestLifetime;
  ring.entries.insert(ring.entries.begin(), NewEntry());
  const ipc::Bytes bytes = Encode(ring);
  ND_TRY(vault_.Put(InternalRecord("jwt"), {}, Secret(ipc::View(bytes))));
  return WithRing(std::move(ring));
}

}  // namespace nd::keeper
