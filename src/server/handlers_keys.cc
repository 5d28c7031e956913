// Provider keys: stored, listed without the key, tested, removed. A key goes in here and never comes out.

#include <algorithm>

#include "server/handlers.h"
#include "server/services.h"

namespace nd::server {

namespace {
using audit::Event;
using keeper::KeyInfo;
using session::Role;

void WriteKeyMembers(JsonWriter& json, const KeyInfo& key) {
  json.Member("label", key.label)
      .Member("scope", key.owner.empty() ? "global" : "user")
      .Member("last4", key.last4)
      .Member("createdAt", FormatRfc3339Seconds(key.created_at))
      .Member("updatedAt", FormatRfc3339Seconds(key.updated_at))
      .MemberOrNull("lastUsedAt", key.last_used_at ? std::optional(FormatRfc3339Seconds(*key.last_used_at)) : std::nullopt)
      .Member("status", key.readable ? "ok" : "unreadable");
}

net::Task<Result<void>> RequireProvider(Context& context) {
  ND_CO_ASSIGN(const auto providers, co_await context.services.Keeper(context.loop()).ListProviders());
  for (const keeper::ProviderInfo& provider : providers) {
    if (provider.name == context.state.parameter) co_return Result<void>();
  }
  co_return NotFound("No provider of that name is configured. Start the deck with --provider NAME=BASE_URL to add one.");
}

// The keys that this caller may see: the global ones and their own.
net::Task<Result<std::vector<KeyInfo>>> VisibleKeys(Context& context) {
  ND_CO_ASSIGN(std::vector<KeyInfo> keys, co_await context.services.Keeper(context.loop()).ListKeys());
  std::erase_if(keys, [&](const KeyInfo& key) { return !key.owner.empty() && key.owner != context.caller().user(); });
  co_return keys;
}

// Whose key a mutation means: "global" is the administrator's to change, "user" one's own.
Result<std::string> OwnerOf(const Context& context, std::optional<std::string_view> scope) {
  const bool admin = context.caller().role() == Role::kAdmin;
  const std::string_view chosen = scope.value_or(admin ? "global" : "user");
  if (chosen == "user") return context.caller().user();
  if (!admin) return Forbidden("Only an administrator changes global keys; use \"scope\":\"user\" for a key of your own.");
  return std::string();
}

// ?scope=global|user and nothing else.
Result<std::optional<std::string_view>> ScopeOfQuery(std::string_view query) {
  if (query.empty()) return std::optional<std::string_view>();
  if (query == "scope=global") return std::optional<std::string_view>("global");
  if (query == "scope=user") return std::optional<std::string_view>("user");
  return InvalidInput("The query may only be scope=global or scope=user.");
}

audit::Record KeyRecord(Context& context, std::string_view vocabulary, std::string_view action, const std::string& owner) {
  audit::Record record =
      RecordOf(context, Event::kApiKeyOperation, vocabulary, action, std::string(context.state.parameter));
  record.data.emplace_back("scope", std::string(owner.empty() ? "global" : "user"));
  return record;
}

http::Response ProviderResponse(std::string_view provider) {
  std::string body;
  JsonWriter(body).BeginObject().MemberBool("success", true).Member("provider", provider).EndObject();
  return JsonResponse(std::move(body));
}
}  // namespace

net::Task<Result<Reply>> HandleListKeys(Context& context) {
  ND_CO_ASSIGN(const std::vector<KeyInfo> keys, co_await VisibleKeys(context));
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("providers").BeginArray();
  for (const KeyInfo& key : keys) {
    json.BeginObject().Member("provider", key.provider);
    WriteKeyMembers(json, key);
    json.EndObject();
  }
  json.EndArray().EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleGetKey(Context& context) {
  ND_CO_ASSIGN(const std::vector<KeyInfo> keys, co_await VisibleKeys(context));
  // The one that a call of this caller would use: their own before the global one.
  const KeyInfo* found = nullptr;
  for (const KeyInfo& key : keys) {
    if (key.provider == context.state.parameter && (found == nullptr || !key.owner.empty())) found = &key;
  }
  if (found == nullptr) co_return NotFound("No key is stored for this provider.");
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Member("provider", found->provider).MemberBool("exists", true).Member("masked", "\u2026" + found->last4);
  WriteKeyMembers(json, *found);
  json.EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandlePutKey(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  Secret key(reader.String("apiKey", 1, 8192));
  const auto scope = reader.OptionalWord("scope", {"global", "user"});
  const std::string label(reader.OptionalString("label", 0, 128).value_or(""));
  ND_CO_TRY(reader.Finish());
  ND_CO_ASSIGN(const std::string owner, OwnerOf(context, scope));
  ND_CO_TRY(co_await RequireProvider(context));

  const std::string provider(context.state.parameter);
  audit::Record record = KeyRecord(context, "sensitive_update", "update", owner);
  record.data.emplace_back("label", label);
  auto act = [&]() -> net::Task<Result<KeyInfo>> {
    return context.services.Keeper(context.loop()).PutKey(provider, owner, label, std::move(key));
  };
  ND_CO_TRY(co_await Audited(context, std::move(record), act));
  co_return ProviderResponse(provider);
}

net::Task<Result<Reply>> HandleDeleteKey(Context& context) {
  ND_CO_ASSIGN(const auto scope, ScopeOfQuery(context.request.query));
  ND_CO_ASSIGN(const std::string owner, OwnerOf(context, scope));
  // Also for a provider that is no longer configured: its key must not be stuck here.
  const std::string provider(context.state.parameter);
  auto act = [&]() -> net::Task<Result<void>> {
    return context.services.Keeper(context.loop()).DeleteKey(provider, owner);
  };
  ND_CO_TRY(co_await Audited(context, KeyRecord(context, "sensitive_delete", "delete", owner), act));
  co_return ProviderResponse(provider);
}

net::Task<Result<Reply>> HandleTestKey(Context& context) {
  ND_CO_TRY(co_await RequireProvider(context));
  const std::string provider(context.state.parameter);
  auto act = [&]() -> net::Task<Result<std::string>> {
    return context.services.Keeper(context.loop()).TestKey(provider, context.caller().user());
  };
  auto describe = [](audit::Record& record, const std::string& result) {
    record.data.emplace_back("result", result);
    if (result != "ok") record.outcome = audit::Outcome::kFailure;
  };
  ND_CO_ASSIGN(const std::string word,
               co_await Audited(context, RecordOf(context, Event::kApiKeyOperation, "sensitive_read", "test", provider), act, describe));
  std::string body;
  JsonWriter(body).BeginObject().MemberBool("success", word == "ok").Member("provider", provider).Member("result", word).EndObject();
  co_return JsonResponse(std::move(body));
}

}  // namespace nd::server
