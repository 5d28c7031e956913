// Provider keys, from the command line. They go in and never come out.

#include "app/admin_record.h"
#include "base/json.h"
#include "base/text.h"

namespace nd::app {

namespace {
using audit::Event;

// The user whose key it is: canonical, and known to the deck, since a key of a misspelt owner would never be used.
Result<std::string> KnownOwner(const session::Sessions& sessions, const std::string& owner) {
  if (owner.empty()) return std::string();
  ND_ASSIGN(std::string user, session::CanonicalUser(owner));
  if (sessions.IsUser(user)) return user;
  return NotFound("There is no such user to own the key. `neuraldeck user list` shows all.");
}

net::Task<Result<void>> RequireProvider(AdminWorld& world, const std::string& provider) {
  ND_CO_ASSIGN(const auto providers, co_await world.keeper.ListProviders());
  std::string known;
  for (const keeper::ProviderInfo& info : providers) {
    if (info.name == provider) co_return Result<void>();
    known.append(known.empty() ? "" : ", ").append(info.name);
  }
  co_return NotFound("This provider is not configured. Configured are: " + known +
                     ". Add one with --provider NAME=BASE_URL.");
}

audit::Record KeyRecord(const std::string& actor, std::string_view vocabulary, std::string_view action,
                        const std::string& provider, const std::string& owner) {
  audit::Record record = RecordOf(actor, Event::kApiKeyOperation, vocabulary, action, provider);
  record.data.emplace_back("scope", std::string(owner.empty() ? "global" : "user"));
  return record;
}

std::optional<std::string> Time(const std::optional<WallTime>& time) {
  return time ? std::optional(FormatRfc3339Seconds(*time)) : std::nullopt;
}

Secret KeyAnswer(const std::string& provider, const std::string& owner, const std::string* last4) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().MemberBool("success", true).Member("provider", provider).Member("owner", owner);
  if (last4 != nullptr) json.Member("last4", *last4);
  json.EndObject();
  return Secret(text);
}
}  // namespace

Answer Do(AdminWorld& world, const std::string&, ListKeys) {
  ND_CO_ASSIGN(const std::vector<keeper::KeyInfo> keys, co_await world.keeper.ListKeys());
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("providers").BeginArray();
  for (const keeper::KeyInfo& key : keys) {
    json.BeginObject()
        .Member("provider", key.provider)
        .Member("label", key.label)
        .Member("scope", key.owner.empty() ? "global" : "user")
        .Member("owner", key.owner)
        .Member("last4", key.last4)
        .Member("createdAt", FormatRfc3339Seconds(key.created_at))
        .Member("updatedAt", FormatRfc3339Seconds(key.updated_at))
        .MemberOrNull("lastUsedAt", Time(key.last_used_at))
        .Member("status", key.readable ? "ok" : "unreadable")
        .EndObject();
  }
  json.EndArray().EndObject();
  co_return Secret(text);
}

Answer Do(AdminWorld& world, const std::string& actor, SetKey act) {
  act.provider = LowerAscii(act.provider);
  ND_CO_ASSIGN(const std::string owner, KnownOwner(world.sessions, act.owner));
  ND_CO_TRY(co_await RequireProvider(world, act.provider));
  audit::Record record = KeyRecord(actor, "sensitive_update", "update", act.provider, owner);
  record.data.emplace_back("label", act.label);
  auto put = [&]() -> net::Task<Result<keeper::KeyInfo>> {
    return world.keeper.PutKey(act.provider, owner, act.label, std::move(act.key));
  };
  ND_CO_ASSIGN(const keeper::KeyInfo info, co_await Recorded(world, std::move(record), put));
  co_return KeyAnswer(act.provider, owner, &info.last4);
}

Answer Do(AdminWorld& world, const std::string& actor, DeleteKey act) {
  act.provider = LowerAscii(act.provider);
  // The owner may be a user who is gone; the key must go all the same.
  std::string owner;
  if (!act.owner.empty()) {
    ND_CO_ASSIGN(owner, session::CanonicalUser(act.owner));
  }
  auto remove = [&]() -> net::Task<Result<void>> { return world.keeper.DeleteKey(act.provider, owner); };
  audit::Record record = KeyRecord(actor, "sensitive_delete", "delete", act.provider, owner);
  ND_CO_TRY(co_await Recorded(world, std::move(record), remove));
  co_return KeyAnswer(act.provider, owner, nullptr);
}

Answer Do(AdminWorld& world, const std::string& actor, TestKey act) {
  act.provider = LowerAscii(act.provider);
  ND_CO_ASSIGN(const std::string owner, KnownOwner(world.sessions, act.owner));
  ND_CO_TRY(co_await RequireProvider(world, act.provider));
  ND_CO_ASSIGN(const std::string word, co_await world.keeper.TestKey(act.provider, owner));
  audit::Record record = KeyRecord(actor, "sensitive_read", "test", act.provider, owner);
  record.data.emplace_back("result", word);
  record.outcome = word == "ok" ? audit::Outcome::kSuccess : audit::Outcome::kFailure;
  ND_CO_TRY(co_await world.audit.Append(world.loop, std::move(record), audit::Durability::kWrite));
  std::string text;
  JsonWriter(text)
      .BeginObject()
      .MemberBool("success", word == "ok")
      .Member("provider", act.provider)
      .Member("result", word)
      .EndObject();
  co_return Secret(text);
}

}  // namespace nd::app
