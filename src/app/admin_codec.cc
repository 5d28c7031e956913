#include "app/admin_codec.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/json.h"

namespace nd::app {

namespace {
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxSecret = 16 * 1024;

constexpr std::array<std::string_view, 9> kKinds = {"invalid_input", "unauthenticated", "forbidden",
                                                    "not_found",     "conflict",        "too_large",
                                                    "rate_limited",  "unavailable",     "internal"};

// --- writing: one overload per act ----------------------------------------------------------------------------------

void Write(JsonWriter& out, const AddUser& act) {
  out.Member("act", "user.add").Member("user", act.user).Member("role", session::RoleName(act.role));
  out.Member("password", act.password.ExposeSecret());
}
void Write(JsonWriter& out, const ListUsers&) { out.Member("act", "user.list"); }
void Write(JsonWriter& out, const UpdateUser& act) {
  out.Member("act", "user.update").Member("user", act.user);
  if (act.role) out.Member("role", session::RoleName(*act.role));
  if (act.disabled) out.MemberBool("disabled", *act.disabled);
  if (act.password) out.Member("password", act.password->ExposeSecret());
}
void Write(JsonWriter& out, const UnlockUser& act) { out.Member("act", "user.unlock").Member("user", act.user); }
void Write(JsonWriter& out, const NewSetupLink&) { out.Member("act", "user.setup_link"); }
void Write(JsonWriter& out, const ListUserSessions& act) {
  out.Member("act", "user.sessions").Member("user", act.user);
}
void Write(JsonWriter& out, const EndUserSessions& act) { out.Member("act", "user.sign_out").Member("user", act.user); }
void Write(JsonWriter& out, const CreateToken& act) {
  out.Member("act", "token.create").Member("user", act.user).Member("name", act.name);
  out.Key("scopes").BeginArray();
  for (const std::string& scope : act.scopes) out.String(scope);
  out.EndArray().Member("seconds", static_cast<std::int64_t>(act.lifetime.count()));
}
void Write(JsonWriter& out, const ListTokens& act) { out.Member("act", "token.list").Member("user", act.user); }
void Write(JsonWriter& out, const RevokeToken& act) { out.Member("act", "token.revoke").Member("id", act.id); }
void Write(JsonWriter& out, const ListKeys&) { out.Member("act", "keys.list"); }
void Write(JsonWriter& out, const SetKey& act) {
  out.Member("act", "keys.set").Member("provider", act.provider).Member("owner", act.owner).Member("label", act.label);
  out.Member("key", act.key.ExposeSecret());
}
void Write(JsonWriter& out, const DeleteKey& act) {
  out.Member("act", "keys.delete").Member("provider", act.provider).Member("owner", act.owner);
}
void Write(JsonWriter& out, const TestKey& act) {
  out.Member("act", "keys.test").Member("provider", act.provider).Member("owner", act.owner);
}
void Write(JsonWriter& out, const ShowVault&) { out.Member("act", "vault.status"); }
void Write(JsonWriter& out, const CheckVault&) { out.Member("act", "vault.check"); }
void Write(JsonWriter& out, const RotateVault&) { out.Member("act", "vault.rotate"); }
void Write(JsonWriter& out, const RotateJwt&) { out.Member("act", "vault.rotate_jwt"); }

// --- reading: one function per act ----------------------------------------------------------------------------------

std::string Name(ObjectReader& in, std::string_view member, std::size_t least) {
  return std::string(in.String(member, least, kMaxName));
}

std::optional<session::Role> ReadRole(ObjectReader& in, std::string_view name) {
  const auto role = session::RoleFromName(name);
  if (!role) in.Fail("The role is unknown.");
  return role;
}

AdminAct ReadAddUser(ObjectReader& in) {
  AddUser act;
  act.user = Name(in, "user", 1);
  act.role = ReadRole(in, in.String("role", 1, 16)).value_or(session::Role::kViewer);
  act.password = Secret(in.String("password", 1, kMaxSecret));
  return act;
}

AdminAct ReadUpdateUser(ObjectReader& in) {
  UpdateUser act;
  act.user = Name(in, "user", 1);
  if (const auto role = in.OptionalString("role", 1, 16)) act.role = ReadRole(in, *role);
  act.disabled = in.OptionalBool("disabled");
  if (const auto password = in.OptionalString("password", 1, kMaxSecret)) act.password = Secret(*password);
  return act;
}

AdminAct ReadCreateToken(ObjectReader& in) {
  CreateToken act;
  act.user = Name(in, "user", 1);
  act.name = Name(in, "name", 1);
  act.scopes = in.StringArray("scopes", 1, 64, kMaxName);
  act.lifetime = std::chrono::seconds(in.Integer("seconds", 1, 366LL * 86'400));
  return act;
}

AdminAct ReadSetKey(ObjectReader& in) {
  SetKey act;
  act.provider = Name(in, "provider", 1);
  act.owner = Name(in, "owner", 0);
  act.label = Name(in, "label", 0);
  act.key = Secret(in.String("key", 1, kMaxSecret));
  return act;
}

struct ActRow {
  std::string_view name;
  AdminAct (*read)(ObjectReader&);
};

constexpr ActRow kActs[] = {
    {"user.add", ReadAddUser},
    {"user.list", [](ObjectReader&) -> AdminAct { return ListUsers{}; }},
    {"user.update", ReadUpdateUser},
    {"user.unlock", [](ObjectReader& in) -> AdminAct { return UnlockUser{Name(in, "user", 0)}; }},
    {"user.setup_link", [](ObjectReader&) -> AdminAct { return NewSetupLink{}; }},
    {"user.sessions", [](ObjectReader& in) -> AdminAct { return ListUserSessions{Name(in, "user", 0)}; }},
    {"user.sign_out", [](ObjectReader& in) -> AdminAct { return EndUserSessions{Name(in, "user", 1)}; }},
    {"token.create", ReadCreateToken},
    {"token.list", [](ObjectReader& in) -> AdminAct { return ListTokens{Name(in, "user", 0)}; }},
    {"token.revoke", [](ObjectReader& in) -> AdminAct { return RevokeToken{Name(in, "id", 1)}; }},
    {"keys.list", [](ObjectReader&) -> AdminAct { return ListKeys{}; }},
    {"keys.set", ReadSetKey},
    {"keys.delete",
     [](ObjectReader& in) -> AdminAct { return DeleteKey{Name(in, "provider", 1), Name(in, "owner", 0)}; }},
    {"keys.test", [](ObjectReader& in) -> AdminAct { return TestKey{Name(in, "provider", 1), Name(in, "owner", 0)}; }},
    {"vault.status", [](ObjectReader&) -> AdminAct { return ShowVault{}; }},
    {"vault.check", [](ObjectReader&) -> AdminAct { return CheckVault{}; }},
    {"vault.rotate", [](ObjectReader&) -> AdminAct { return RotateVault{}; }},
    {"vault.rotate_jwt", [](ObjectReader&) -> AdminAct { return RotateJwt{}; }},
};

// Text that may hold secrets goes to where it will be wiped, and is wiped here.
Secret TakeText(std::string& text) {
  Secret taken(text);
  WipeMemory(text.data(), text.size());
  return taken;
}

// Large enough that appending does not leave copies of a secret behind in freed memory.
std::string RoomFor(std::size_t size) {
  std::string room;
  room.reserve(size);
  return room;
}
}  // namespace

Secret EncodeAct(const AdminAct& act) {
  std::string line = RoomFor(8 * kMaxRequestLine);
  JsonWriter out(line);
  out.BeginObject();
  std::visit([&](const auto& one) { Write(out, one); }, act);
  out.EndObject();
  return TakeText(line);
}

Result<AdminAct> DecodeAct(std::string_view line) {
  if (line.size() > kMaxRequestLine) return InvalidInput("The request is longer than 64 KiB.");
  ND_ASSIGN(const JsonDocument document, ParseJson(line, {.max_depth = 3, .max_values = 128}));
  ObjectReader in(document.root());
  const std::string_view name = in.String("act", 1, 32);
  for (const ActRow& row : kActs) {
    if (row.name != name) continue;
    AdminAct act = row.read(in);
    ND_TRY(in.Finish());
    return act;
  }
  ND_TRY(in.Finish());
  return InvalidInput(
      "The server does not know this act: the command line and the server may be of different versions.");
}

Secret EncodeAnswer(const Result<Secret>& answer) {
  if (answer.ok()) {
    std::string line = RoomFor(answer->size() + 16);
    line.append("{\"answer\":").append(answer->ExposeSecret()).append("}");
    return TakeText(line);
  }
  const Error& error = answer.error();
  std::string line;
  JsonWriter out(line);
  out.BeginObject().Key("error").BeginObject();
  out.Member("kind", kKinds[static_cast<std::size_t>(error.kind)]).Member("text", error.public_text);
  out.Member("detail", error.detail).EndObject().EndObject();
  return Secret(line);
}

Result<Secret> DecodeAnswer(std::string_view line) {
  auto document = ParseJson(line, {.max_depth = 8, .max_values = 500'000});
  if (!document.ok()) return Internal("the server's answer is not JSON: " + document.error().public_text);
  const boost::json::object* object = document->root().if_object();
  if (object == nullptr || object->size() != 1) return Internal("the server's answer has an unknown shape");
  if (const boost::json::value* answer = object->if_contains("answer"); answer != nullptr && answer->is_object()) {
    std::string text = boost::json::serialize(*answer);
    return TakeText(text);
  }
  const boost::json::value* failure = object->if_contains("error");
  if (failure == nullptr) return Internal("the server's answer has an unknown shape");
  ObjectReader in(*failure);
  Error error;
  const std::string_view kind = in.String("kind", 1, 32);
  error.public_text = std::string(in.String("text", 0, kMaxAnswerLine));
  error.detail = std::string(in.String("detail", 0, kMaxAnswerLine));
  ND_TRY(in.Finish());
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == kind) error.kind = static_cast<ErrorKind>(i);
  }
  error.code = DefaultCode(error.kind);
  return error;
}

}  // namespace nd::app
