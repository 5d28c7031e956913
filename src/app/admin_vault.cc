// The vault as a whole and the keys in it that are the deck's own, from the command line.

#include "app/admin_record.h"
#include "app/vault_access.h"
#include "base/json.h"

namespace nd::app {

namespace {
using audit::Event;

Secret StatusAnswer(const keeper::VaultStatus& status) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject()
      .Member("path", status.path)
      .Member("vaultId", status.vault_id)
      .Member("rootKeyId", status.root_key_id)
      .Member("rootKeySource", status.root_key_source)
      .Member("generation", static_cast<std::int64_t>(status.generation))
      .Member("records", static_cast<std::int64_t>(status.records))
      .Key("unreadable")
      .BeginArray();
  for (const std::string& record : status.unreadable) json.String(record);
  json.EndArray().EndObject();
  return Secret(text);
}
}  // namespace

Answer Do(AdminWorld& world, const std::string&, ShowVault) {
  ND_CO_ASSIGN(const keeper::VaultStatus status, co_await world.keeper.Status());
  co_return StatusAnswer(status);
}

Answer Do(AdminWorld& world, const std::string&, CheckVault) {
  ND_CO_ASSIGN(const keeper::VaultStatus status, co_await world.keeper.Check());
  co_return StatusAnswer(status);
}

Answer Do(AdminWorld& world, const std::string& actor, RotateVault) {
  auto rotate = [&]() -> net::Task<Result<keeper::VaultStatus>> { return world.keeper.Rotate(); };
  audit::Record record = RecordOf(actor, Event::kConfigChange, "sensitive_update", "rotate", "vault");
  record.data.emplace_back("setting", std::string("root-key"));
  ND_CO_ASSIGN(const keeper::VaultStatus status, co_await Recorded(world, std::move(record), rotate));
  co_return StatusAnswer(status);
}

Answer Do(AdminWorld& world, const std::string& actor, RotateJwt) {
  if (world.jwt_key == AdminWorld::JwtKey::kByHand) {
    co_return Conflict(
        "Session tokens are signed with JWT_SECRET, which the deck cannot change. Set a new JWT_SECRET and start the "
        "server again, or unset it to let the deck keep its own key.");
  }
  auto rotate = [&]() -> net::Task<Result<keeper::FrontSecrets>> { return world.keeper.RotateJwt(); };
  audit::Record record = RecordOf(actor, Event::kConfigChange, "sensitive_update", "rotate", "jwt");
  record.data.emplace_back("setting", std::string("jwt-key"));
  ND_CO_ASSIGN(keeper::FrontSecrets secrets, co_await Recorded(world, std::move(record), rotate));
  std::string text;
  JsonWriter(text)
      .BeginObject()
      .MemberBool("success", true)
      .Member("signingKey", secrets.jwt.empty() ? "" : secrets.jwt.front().first)
      .Member("verifyingKeys", static_cast<std::int64_t>(secrets.jwt.size()))
      .EndObject();
  ND_CO_TRY(world.sessions.ReplaceJwtKeys(SessionKeysOf(std::move(secrets), Secret()).jwt));
  co_return Secret(text);
}

}  // namespace nd::app
