// Users and their sessions, from the command line.

#include "app/admin_record.h"
#include "base/json.h"

namespace nd::app {

namespace {
using audit::Event;

void WriteUser(JsonWriter& json, const session::UserInfo& user) {
  json.BeginObject()
      .Member("userId", user.id)
      .Member("role", session::RoleName(user.role))
      .MemberBool("disabled", user.disabled)
      .Member("createdAt", FormatRfc3339Seconds(user.created_at))
      .EndObject();
}

Secret UserAnswer(const session::UserInfo& user) {
  std::string text;
  JsonWriter json(text);
  WriteUser(json, user);
  return Secret(text);
}

// An empty name stands for everybody.
Result<std::string> CanonicalOrAll(const std::string& user) {
  if (user.empty()) return std::string();
  return session::CanonicalUser(user);
}
}  // namespace

Answer Do(AdminWorld& world, const std::string& actor, AddUser act) {
  ND_CO_ASSIGN(const std::string user, session::CanonicalUser(act.user));
  audit::Record record = RecordOf(actor, Event::kUserChange, "user_created", "create", user);
  record.data.emplace_back("role", std::string(session::RoleName(act.role)));
  auto password = std::make_shared<Secret>(std::move(act.password));
  const session::Role role = act.role;
  auto add = [&]() -> net::Task<Result<session::UserInfo>> {
    return OnPasswordWorker(world, [&sessions = world.sessions, user, role, password] {
      return sessions.AddUser(user, role, password->ExposeSecret());
    });
  };
  ND_CO_ASSIGN(const session::UserInfo info, co_await Recorded(world, std::move(record), add));
  co_return UserAnswer(info);
}

Answer Do(AdminWorld& world, const std::string&, ListUsers) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("users").BeginArray();
  for (const session::UserInfo& user : world.sessions.ListUsers()) WriteUser(json, user);
  json.EndArray().EndObject();
  co_return Secret(text);
}

Answer Do(AdminWorld& world, const std::string& actor, UpdateUser act) {
  ND_CO_ASSIGN(const std::string user, session::CanonicalUser(act.user));
  audit::Record record =
      RecordOf(actor, Event::kUserChange, act.role ? "authz_change" : "user_updated", "update", user);
  if (act.role) record.data.emplace_back("role", std::string(session::RoleName(*act.role)));
  if (act.disabled) record.data.emplace_back("disabled", *act.disabled);
  if (act.password) record.data.emplace_back("change", std::string("password"));
  auto password = act.password ? std::make_shared<Secret>(std::move(*act.password)) : nullptr;
  session::Sessions::UserChange change;
  change.role = act.role;
  change.disabled = act.disabled;
  auto update = [&]() -> net::Task<Result<session::UserInfo>> {
    return OnPasswordWorker(world, [&sessions = world.sessions, user, change, password]() mutable {
      if (password) change.password = password->ExposeSecret();
      return sessions.UpdateUser(user, change);
    });
  };
  ND_CO_ASSIGN(const session::UserInfo info, co_await Recorded(world, std::move(record), update));
  co_return UserAnswer(info);
}

Answer Do(AdminWorld& world, const std::string& actor, UnlockUser act) {
  ND_CO_ASSIGN(const std::string user, CanonicalOrAll(act.user));
  auto unlock = [&]() -> net::Task<Result<void>> {
    return OnStoreWorker(world, [&sessions = world.sessions, user]() -> Result<void> {
      sessions.UnlockThrottle(user);
      return {};
    });
  };
  audit::Record record = RecordOf(actor, Event::kUserChange, "user_updated", "unlock", user.empty() ? "*" : user);
  ND_CO_TRY(co_await Recorded(world, std::move(record), unlock));
  co_return Secret(R"({"success":true})");
}

Answer Do(AdminWorld& world, const std::string& actor, NewSetupLink) {
  if (world.browser_url.empty()) {
    co_return Conflict(
        "No server is running here. Start one with `neuraldeck serve`: while there is no user, it prints a setup "
        "link.");
  }
  auto issue = [&]() -> net::Task<Result<std::string>> {
    return OnStoreWorker(world, [&sessions = world.sessions] { return sessions.IssueSetupToken(); });
  };
  audit::Record record = RecordOf(actor, Event::kUserChange, "authn_token_created", "create_setup_link", "setup");
  ND_CO_ASSIGN(const std::string token, co_await Recorded(world, std::move(record), issue));
  std::string text;
  JsonWriter(text)
      .BeginObject()
      .Member("url", world.browser_url + "/setup#token=" + token)
      .Member("validSeconds", std::int64_t{900})
      .EndObject();
  co_return Secret(text);
}

Answer Do(AdminWorld& world, const std::string&, ListUserSessions act) {
  ND_CO_ASSIGN(const std::string user, CanonicalOrAll(act.user));
  const auto sessions = user.empty() ? world.sessions.ListAllSessions() : world.sessions.ListSessions(user);
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("sessions").BeginArray();
  for (const session::SessionInfo& info : sessions) {
    json.BeginObject()
        .Member("id", info.id)
        .Member("userId", info.user)
        .Member("createdAt", FormatRfc3339Seconds(info.created_at))
        .Member("lastSeenAt", FormatRfc3339Seconds(info.last_seen_at))
        .Member("endsAt", FormatRfc3339Seconds(info.ends_at))
        .Member("address", info.address)
        .Member("userAgent", info.user_agent)
        .EndObject();
  }
  json.EndArray().EndObject();
  co_return Secret(text);
}

Answer Do(AdminWorld& world, const std::string& actor, EndUserSessions act) {
  ND_CO_ASSIGN(const std::string user, session::CanonicalUser(act.user));
  if (!world.sessions.IsUser(user)) co_return NotFound("There is no such user. `neuraldeck user list` shows all.");
  auto end = [&]() -> net::Task<Result<std::size_t>> {
    return OnStoreWorker(world, [&sessions = world.sessions, user] {
      return sessions.EndAllSessions(user, {}, session::EndReason::kEndedByUser);
    });
  };
  audit::Record record = RecordOf(actor, Event::kSessionInvalidate, "session_expired", "end_all", user);
  ND_CO_ASSIGN(const std::size_t ended, co_await Recorded(world, std::move(record), end));
  std::string text;
  JsonWriter(text)
      .BeginObject()
      .MemberBool("success", true)
      .Member("ended", static_cast<std::int64_t>(ended))
      .EndObject();
  co_return Secret(text);
}

}  // namespace nd::app
