// Users and agent tokens.

#include "server/handlers.h"
#include "server/offload.h"
#include "server/services.h"

namespace nd::server {

namespace {
using audit::Event;
using session::AgentTokenInfo;
using session::UserInfo;

void WriteUser(JsonWriter& json, const UserInfo& user) {
  json.BeginObject()
      .Member("userId", user.id)
      .Member("role", session::RoleName(user.role))
      .MemberBool("disabled", user.disabled)
      .Member("createdAt", FormatRfc3339Seconds(user.created_at))
      .EndObject();
}

void WriteToken(JsonWriter& json, const AgentTokenInfo& info, std::string_view token) {
  json.BeginObject();
  if (!token.empty()) json.Member("token", token);
  json.Member("id", info.id).Member("user", info.user).Member("name", info.name).Key("scopes").BeginArray();
  for (const session::Scope& scope : info.scopes) json.String(scope.Text());
  json.EndArray()
      .Member("createdAt", FormatRfc3339Seconds(info.created_at))
      .Member("expiresAt", FormatRfc3339Seconds(info.expires_at))
      .MemberOrNull("lastUsedAt", info.last_used_at ? std::optional(FormatRfc3339Seconds(*info.last_used_at)) : std::nullopt)
      .EndObject();
}

http::Response UserResponse(const UserInfo& user, int status) {
  std::string body;
  JsonWriter json(body);
  WriteUser(json, user);
  return JsonResponse(std::move(body), status);
}

session::Role RoleOf(std::string_view name) { return session::RoleFromName(name).value_or(session::Role::kViewer); }

// "90d" -> seconds; nullopt if it is not Ns, Nm, Nh or Nd.
std::optional<std::chrono::seconds> ParseDuration(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  switch (text.back()) {
    case 's': return std::chrono::seconds(number);
    case 'm': return std::chrono::minutes(number);
    case 'h': return std::chrono::hours(number);
    case 'd': return std::chrono::hours(24 * number);
    default: return std::nullopt;
  }
}
}  // namespace

net::Task<Result<Reply>> HandleListUsers(Context& context) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("users").BeginArray();
  for (const UserInfo& user : context.services.world.sessions.ListUsers()) WriteUser(json, user);
  json.EndArray().EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleGetUser(Context& context) {
  for (const UserInfo& user : context.services.world.sessions.ListUsers()) {
    if (user.id == context.state.parameter) co_return UserResponse(user, 200);
  }
  co_return NotFound("There is no such user.");
}

net::Task<Result<Reply>> HandleAddUser(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  const std::string user(reader.String("userId", 1, 128));
  const session::Role role = RoleOf(reader.Word("role", {"admin", "operator", "viewer", "auditor"}));
  auto password = std::make_shared<Secret>(reader.String("password", 1, 1024));
  ND_CO_TRY(reader.Finish());
  ND_CO_ASSIGN(const std::string canonical, session::CanonicalUser(user));

  audit::Record record = RecordOf(context, Event::kUserChange, "user_created", "create", canonical);
  record.data.emplace_back("role", std::string(session::RoleName(role)));
  auto act = [&]() -> net::Task<Result<UserInfo>> {
    session::Sessions& sessions = context.services.world.sessions;
    return Offload(context.loop(), context.services.world.password_worker, [&sessions, canonical, role, password] {
      return sessions.AddUser(canonical, role, password->ExposeSecret());
    });
  };
  ND_CO_ASSIGN(const UserInfo info, co_await Audited(context, std::move(record), act));
  co_return UserResponse(info, 201);
}

net::Task<Result<Reply>> HandleUpdateUser(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  const auto role = reader.OptionalWord("role", {"admin", "operator", "viewer", "auditor"});
  const auto disabled = reader.OptionalBool("disabled");
  const auto password_text = reader.OptionalString("password", 1, 1024);
  if (!role && !disabled && !password_text) reader.Fail("Give at least one of \"role\", \"disabled\" and \"password\".");
  ND_CO_TRY(reader.Finish());

  const std::string user(context.state.parameter);
  auto password = password_text ? std::make_shared<Secret>(*password_text) : nullptr;
  session::Sessions::UserChange change;
  if (role) change.role = RoleOf(*role);
  change.disabled = disabled;

  audit::Record record = RecordOf(context, Event::kUserChange, role ? "authz_change" : "user_updated", "update", user);
  if (role) record.data.emplace_back("role", std::string(*role));
  if (disabled) record.data.emplace_back("disabled", *disabled);
  if (password) record.data.emplace_back("change", std::string("password"));
  auto act = [&]() -> net::Task<Result<UserInfo>> {
    session::Sessions& sessions = context.services.world.sessions;
    return Offload(context.loop(), context.services.world.password_worker, [&sessions, user, change, password]() mutable {
      if (password) change.password = password->ExposeSecret();
      return sessions.UpdateUser(user, change);
    });
  };
  ND_CO_ASSIGN(const UserInfo info, co_await Audited(context, std::move(record), act));
  co_return UserResponse(info, 200);
}

net::Task<Result<Reply>> HandleListTokens(Context& context) {
  const bool all = context.caller().role() == session::Role::kAdmin;
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("tokens").BeginArray();
  for (const AgentTokenInfo& info : context.services.world.sessions.ListAgentTokens(all ? "" : context.caller().user())) {
    WriteToken(json, info, {});
  }
  json.EndArray().EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleCreateToken(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  const std::string name(reader.String("name", 1, 64));
  const std::vector<std::string> scope_texts = reader.StringArray("scopes", 1, 64, 256);
  const auto expires = reader.OptionalString("expires", 2, 9).value_or("90d");
  const auto lifetime = ParseDuration(expires);
  if (!lifetime) reader.Fail("\"expires\" must be a duration such as 12h or 90d.");
  ND_CO_TRY(reader.Finish());
  std::vector<session::Scope> scopes;
  for (const std::string& text : scope_texts) {
    ND_CO_ASSIGN(session::Scope scope, session::Scope::Parse(text));
    scopes.push_back(std::move(scope));
  }

  const std::string user = context.caller().user();
  audit::Record record = RecordOf(context, Event::kUserChange, "authn_token_created", "create_token", user);
  record.data.emplace_back("name", name);
  record.data.emplace_back("scopes", scope_texts);
  auto act = [&]() -> net::Task<Result<session::NewAgentToken>> {
    session::Sessions& sessions = context.services.world.sessions;
    return Offload(context.loop(), context.services.world.store_worker, [&sessions, user, name, scopes, lifetime] {
      return sessions.CreateAgentToken(user, name, scopes, *lifetime);
    });
  };
  auto describe = [](audit::Record& outcome, const session::NewAgentToken& made) {
    outcome.target = made.info.id;
    outcome.data.emplace_back("expiresAt", FormatRfc3339Seconds(made.info.expires_at));
  };
  ND_CO_ASSIGN(const session::NewAgentToken token, co_await Audited(context, std::move(record), act, describe));
  std::string body;
  JsonWriter json(body);
  WriteToken(json, token.info, token.token);
  http::Response response = JsonResponse(std::move(body), 201);
  response.sensitive = true;
  co_return response;
}

net::Task<Result<Reply>> HandleRevokeToken(Context& context) {
  const std::string id(context.state.parameter);
  const std::string owner = context.caller().role() == session::Role::kAdmin ? std::string() : context.caller().user();
  audit::Record record = RecordOf(context, Event::kUserChange, "authn_token_revoked", "revoke_token", id);
  auto act = [&]() -> net::Task<Result<void>> {
    session::Sessions& sessions = context.services.world.sessions;
    return Offload(context.loop(), context.services.world.store_worker,
                   [&sessions, id, owner] { return sessions.RevokeAgentToken(id, owner); });
  };
  ND_CO_TRY(co_await Audited(context, std::move(record), act));
  co_return JsonResponse(R"({"success":true})");
}

}  // namespace nd::server
