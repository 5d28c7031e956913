// Agent tokens, from the command line.

#include "app/admin_record.h"
#include "base/json.h"

namespace nd::app {

namespace {
using audit::Event;

void WriteToken(JsonWriter& json, const session::AgentTokenInfo& info, std::string_view token) {
  json.BeginObject();
  if (!token.empty()) json.Member("token", token);
  json.Member("id", info.id).Member("user", info.user).Member("name", info.name).Key("scopes").BeginArray();
  for (const session::Scope& scope : info.scopes) json.String(scope.Text());
  const auto last_used = info.last_used_at ? std::optional(FormatRfc3339Seconds(*info.last_used_at)) : std::nullopt;
  json.EndArray()
      .Member("createdAt", FormatRfc3339Seconds(info.created_at))
      .Member("expiresAt", FormatRfc3339Seconds(info.expires_at))
      .MemberOrNull("lastUsedAt", last_used)
      .EndObject();
}
}  // namespace

Answer Do(AdminWorld& world, const std::string& actor, CreateToken act) {
  ND_CO_ASSIGN(const std::string user, session::CanonicalUser(act.user));
  std::vector<session::Scope> scopes;
  for (const std::string& text : act.scopes) {
    ND_CO_ASSIGN(session::Scope scope, session::Scope::Parse(text));
    scopes.push_back(std::move(scope));
  }
  audit::Record record = RecordOf(actor, Event::kUserChange, "authn_token_created", "create_token", user);
  record.data.emplace_back("name", act.name);
  record.data.emplace_back("scopes", act.scopes);
  const std::string name = act.name;
  const std::chrono::seconds lifetime = act.lifetime;
  auto create = [&]() -> net::Task<Result<session::NewAgentToken>> {
    return OnStoreWorker(world, [&sessions = world.sessions, user, name, scopes, lifetime] {
      return sessions.CreateAgentToken(user, name, scopes, lifetime);
    });
  };
  ND_CO_ASSIGN(session::NewAgentToken made, co_await Recorded(world, std::move(record), create));
  std::string text;
  text.reserve(4096 + 2 * made.token.size());
  JsonWriter json(text);
  WriteToken(json, made.info, made.token);
  Secret answer(text);
  WipeMemory(text.data(), text.size());
  WipeMemory(made.token.data(), made.token.size());
  co_return answer;
}

Answer Do(AdminWorld& world, const std::string&, ListTokens act) {
  std::string user;
  if (!act.user.empty()) {
    ND_CO_ASSIGN(user, session::CanonicalUser(act.user));
  }
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("tokens").BeginArray();
  for (const session::AgentTokenInfo& info : world.sessions.ListAgentTokens(user)) WriteToken(json, info, {});
  json.EndArray().EndObject();
  co_return Secret(text);
}

Answer Do(AdminWorld& world, const std::string& actor, RevokeToken act) {
  auto revoke = [&]() -> net::Task<Result<void>> {
    return OnStoreWorker(world,
                         [&sessions = world.sessions, id = act.id] { return sessions.RevokeAgentToken(id, {}); });
  };
  audit::Record record = RecordOf(actor, Event::kUserChange, "authn_token_revoked", "revoke_token", act.id);
  ND_CO_TRY(co_await Recorded(world, std::move(record), revoke));
  std::string text;
  JsonWriter(text).BeginObject().MemberBool("success", true).Member("id", act.id).EndObject();
  co_return Secret(text);
}

}  // namespace nd::app
