#include "server/gateway.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/model_request.h"
#include "server/services.h"

namespace nd::server {

namespace {
using audit::Event;
using keeper::Endpoint;
using keeper::Protocol;
using keeper::ProviderInfo;

std::string_view EndpointName(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kChatCompletions: return "chat_completions";
    case Endpoint::kEmbeddings: return "embeddings";
    case Endpoint::kModels: return "models";
    case Endpoint::kMessages: return "messages";
  }
  return "";
}

// For requests that name no model: small and general. Configure the request, not the deck, for anything else.
std::string_view DefaultModel(Protocol protocol) {
  return protocol == Protocol::kAnthropic ? "claude-3-5-haiku-latest" : "gpt-4o-mini";
}

Result<void> CheckScope(const session::Caller& caller, const ModelTarget& target) {
  using Kind = session::Scope::Kind;
  if (caller.Allows(Kind::kModel, target.provider + "/" + target.model) || caller.Allows(Kind::kModel, target.model)) return {};
  return Forbidden("This agent token's scopes do not include that model.", "model scope");
}

// The same, with a record of a refusal.
net::Task<Result<void>> RequireScope(Context& context, const ModelTarget& target) {
  auto allowed = CheckScope(context.caller(), target);
  if (!allowed.ok()) {
    audit::Record record = RecordOf(context, Event::kModelCall, "authz_fail", "call", target.provider + "/" + target.model);
    record.outcome = audit::Outcome::kDenied;
    record.reason = std::string(allowed.error().code);
    // Refused either way; an unwritten record must not become a different answer.
    (void)co_await context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite);
  }
  co_return allowed;
}

// "NAME/x" names a configured provider; anything else goes to the route's default whole, slashes included.
Result<ModelTarget> TargetOf(const std::vector<ProviderInfo>& providers, Protocol protocol, const std::string& model) {
  const std::size_t slash = model.find('/');
  if (slash != std::string::npos && slash + 1 < model.size()) {
    for (const ProviderInfo& provider : providers) {
      if (provider.name != std::string_view(model).substr(0, slash)) continue;
      if (provider.protocol != protocol) {
        return InvalidInput(protocol == Protocol::kOpenAi
                                ? "That provider speaks the Anthropic protocol; call it at /v1/messages."
                                : "That provider speaks the OpenAI protocol; call it at /v1/chat/completions.");
      }
      return ModelTarget{provider.name, protocol, model.substr(slash + 1)};
    }
  }
  for (const ProviderInfo& provider : providers) {
    if (provider.protocol == protocol) return ModelTarget{provider.name, protocol, model};
  }
  return NotFound("No provider that speaks this protocol is configured.");
}

// A provider's refusal in our words. Its own text may hold anything, a key included, and stays behind.
Error RebuildError(const keeper::CallHead& head) {
  const std::string code = head.error_code.empty() ? std::string() : fmt::format(" (the provider's code: {})", head.error_code);
  switch (head.status) {
    case 400:
    case 422: return InvalidInput("The provider refused the request as invalid" + code + ".");
    case 401:
    case 403:
      return Unavailable("The provider did not accept the stored key; an administrator should test and replace it" + code + ".",
                         fmt::format("provider answered {}", head.status));
    case 404: return NotFound("The provider does not know this model or function" + code + ".");
    case 413: return TooLarge("The provider found the request too large" + code + ".");
    case 429:
      return RateLimited("The provider limits the rate of calls; wait before the next one" + code + ".",
                         head.retry_after_seconds.value_or(1));
    default:
      return Unavailable("The provider failed to answer; try again later" + code + ".",
                         fmt::format("provider answered {}", head.status), head.retry_after_seconds.value_or(0));
  }
}

std::vector<std::pair<std::string, std::string>> PassedHeaders(const http::Request& request) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string_view name : {"accept", "anthropic-version", "anthropic-beta"}) {
    if (const std::string_view value = request.Find(name); !value.empty()) headers.emplace_back(name, value);
  }
  return headers;
}

// One call and its two records. Made before the call, finished after it.
class Recorded {
 public:
  Recorded(Context& context, const GatewayCall& call)
      : context_(context), started_(context.services.world.clock.Steady()), bytes_in_(call.body.size()) {
    record_ = RecordOf(context, Event::kModelCall, "sensitive_read", "call", call.target.provider + "/" + call.target.model);
    record_.data.emplace_back("provider", call.target.provider);
    record_.data.emplace_back("model", call.target.model);
    record_.data.emplace_back("endpoint", std::string(EndpointName(call.endpoint)));
    record_.data.emplace_back("stream", call.stream);
  }

  net::Task<Result<std::uint64_t>> Intent() {
    audit::Record intent = record_;
    intent.phase = audit::Phase::kIntent;
    intent.outcome = audit::Outcome::kUnknown;
    return Append(std::move(intent));
  }

  net::Task<Result<std::uint64_t>> Outcome(int status, const Error* error, std::uint64_t bytes_out, const Usage& usage) {
    Counters& counters = context_.services.counters;
    counters.model_calls.fetch_add(1, std::memory_order_relaxed);
    if (error != nullptr) counters.model_errors.fetch_add(1, std::memory_order_relaxed);
    counters.prompt_tokens.fetch_add(static_cast<std::uint64_t>(usage.prompt_tokens), std::memory_order_relaxed);
    counters.completion_tokens.fetch_add(static_cast<std::uint64_t>(usage.completion_tokens), std::memory_order_relaxed);

    audit::Record outcome = std::move(record_);
    outcome.outcome = error == nullptr ? audit::Outcome::kSuccess : audit::Outcome::kFailure;
    if (error != nullptr) outcome.reason = std::string(error->code);
    const auto elapsed = context_.services.world.clock.Steady() - started_;
    outcome.data.emplace_back("status", std::int64_t{status});
    outcome.data.emplace_back("durationMs", std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
    outcome.data.emplace_back("bytesIn", static_cast<std::int64_t>(bytes_in_));
    outcome.data.emplace_back("bytesOut", static_cast<std::int64_t>(bytes_out));
    if (usage.prompt_tokens > 0) outcome.data.emplace_back("promptTokens", usage.prompt_tokens);
    if (usage.completion_tokens > 0) outcome.data.emplace_back("completionTokens", usage.completion_tokens);
    return Append(std::move(outcome));
  }

 private:
  net::Task<Result<std::uint64_t>> Append(audit::Record record) {
    return context_.services.audit.Append(context_.loop(), std::move(record), audit::Durability::kWrite);
  }

  Context& context_;
  audit::Record record_;
  SteadyTime started_;
  std::size_t bytes_in_;
};

// The upstream call, cancelled when the client goes away, when the caller's session or token ends, or when this object dies.
class Upstream {
 public:
  Upstream(Context& context, GatewayCall call) : exchange_(context.exchange) {
    keeper::CallRequest request;
    request.provider = std::move(call.target.provider);
    request.user = context.caller().user();
    request.endpoint = call.endpoint;
    request.body = std::move(call.body);
    request.headers = PassedHeaders(context.request);
    call_ = context.services.Keeper(context.loop()).Start(std::move(request));
    exchange_.OnClientGone([call = call_.get()] { call->Cancel(); });
    const session::Caller& caller = context.caller();
    alive_ = context.services.live_calls.Add(context.loop(), caller.id(), caller.deadline(), [call = call_.get()] { call->Cancel(); });
  }
  ~Upstream() { exchange_.OnClientGone(nullptr); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  keeper::Call* operator->() { return call_.get(); }

 private:
  http::Exchange& exchange_;
  std::unique_ptr<keeper::Call> call_;
  std::unique_ptr<LiveCalls::Guard> alive_;
};

net::Task<Result<std::string>> Gather(Upstream& upstream) {
  std::string body;
  for (;;) {
    ND_CO_ASSIGN(std::optional<std::string> chunk, co_await upstream->Next());
    if (!chunk) co_return body;
    if (body.size() + chunk->size() > kMaxAnswer) co_return Unavailable("The provider's answer is larger than the deck takes.");
    body += *chunk;
  }
}

struct StreamEnd {
  std::optional<Error> error;
  std::uint64_t bytes = 0;
  Usage usage;
};

net::Task<StreamEnd> Pump(Context& context, Upstream& upstream) {
  StreamEnd end;
  StreamUsage usage;
  for (;;) {
    auto chunk = co_await upstream->Next();
    if (!chunk.ok()) {
      end.error = std::move(chunk).error();
      break;
    }
    if (!*chunk) break;
    end.bytes += (*chunk)->size();
    usage.Feed(**chunk);
    if (auto written = co_await context.exchange.Write(**chunk); !written.ok()) {
      end.error = std::move(written).error();
      break;
    }
  }
  end.usage = usage.usage();
  co_return end;
}

net::Task<Result<Reply>> RelayStream(Context& context, Recorded& recorded, Upstream& upstream) {
  http::Response response;
  response.content_type = "text/event-stream; charset=utf-8";
  // Proxies in front must not collect the stream.
  response.AddField("X-Accel-Buffering", "no");
  context.exchange.StartStream(context.services.Dress(context, std::move(response)));
  const StreamEnd end = co_await Pump(context, upstream);
  const auto written = co_await recorded.Outcome(200, end.error ? &*end.error : nullptr, end.bytes, end.usage);
  // Without Finish the client sees a broken answer, not a short one: so it ends when the upstream broke off or when the
  // record of the call could not be written.
  if (!end.error && written.ok()) context.exchange.Finish();
  co_return Reply();
}

net::Task<Result<std::string>> FetchModels(Context& context, const ProviderInfo& provider) {
  GatewayCall call;
  call.target = {provider.name, provider.protocol, ""};
  call.endpoint = Endpoint::kModels;
  return CallModel(context, std::move(call));
}
}  // namespace

net::Task<Result<ModelTarget>> ChooseTarget(Context& context, std::string provider, std::string model) {
  ND_CO_ASSIGN(const std::vector<ProviderInfo> providers, co_await context.services.Keeper(context.loop()).ListProviders());
  const auto found = std::find_if(providers.begin(), providers.end(), [&](const ProviderInfo& info) {
    return provider.empty() ? info.protocol == Protocol::kOpenAi : info.name == provider;
  });
  if (found == providers.end()) co_return NotFound("No such provider is configured.");
  ModelTarget target{found->name, found->protocol, std::move(model)};
  if (provider.empty() && !target.model.empty()) {
    ND_CO_ASSIGN(target, TargetOf(providers, Protocol::kOpenAi, target.model));
  }
  if (target.model.empty()) target.model = DefaultModel(target.protocol);
  ND_CO_TRY(co_await RequireScope(context, target));
  co_return target;
}

net::Task<Result<std::string>> CallModel(Context& context, GatewayCall call) {
  Recorded recorded(context, call);
  ND_CO_TRY(co_await recorded.Intent());
  Upstream upstream(context, std::move(call));
  Result<keeper::CallHead> head = co_await upstream->Head();
  Result<std::string> body = std::string();
  int status = 0;
  if (!head.ok()) {
    body = std::move(head).error();
  } else {
    status = head->status;
    if (status >= 200 && status < 300) {
      body = co_await Gather(upstream);
    } else {
      body = RebuildError(*head);
    }
  }
  Usage usage;
  if (body.ok()) AddUsage(*body, usage);
  ND_CO_TRY(co_await recorded.Outcome(status, body.ok() ? nullptr : &body.error(), body.ok() ? body->size() : 0, usage));
  co_return body;
}

net::Task<Result<Reply>> RelayModelRequest(Context& context, Protocol protocol, Endpoint endpoint) {
  ND_CO_ASSIGN(const ModelRequest request, ReadModelRequest(context.request.body));
  ND_CO_ASSIGN(const std::vector<ProviderInfo> providers, co_await context.services.Keeper(context.loop()).ListProviders());
  ND_CO_ASSIGN(const ModelTarget target, TargetOf(providers, protocol, request.model));
  ND_CO_TRY(co_await RequireScope(context, target));

  GatewayCall call;
  call.target = target;
  call.endpoint = endpoint;
  call.stream = request.stream;
  call.body = target.model == request.model ? std::string(context.request.body)
                                            : WithModel(context.request.body, request, target.model);
  if (!request.stream) {
    ND_CO_ASSIGN(std::string body, co_await CallModel(context, std::move(call)));
    co_return JsonResponse(std::move(body));
  }

  Recorded recorded(context, call);
  ND_CO_TRY(co_await recorded.Intent());
  Upstream upstream(context, std::move(call));
  Result<keeper::CallHead> head = co_await upstream->Head();
  std::optional<Error> failure;
  if (!head.ok()) {
    failure = std::move(head).error();
  } else if (head->status < 200 || head->status >= 300) {
    failure = RebuildError(*head);
  } else if (!head->content_type.starts_with("text/event-stream")) {
    failure = Unavailable("The provider did not answer with a stream.");
  }
  if (failure) {
    ND_CO_TRY(co_await recorded.Outcome(head.ok() ? head->status : 0, &*failure, 0, {}));
    co_return std::move(*failure);
  }
  co_return co_await RelayStream(context, recorded, upstream);
}

net::Task<Result<std::string>> ListModels(Context& context) {
  const bool anthropic = context.request.Find("anthropic-version").data() != nullptr;
  const Protocol protocol = anthropic ? Protocol::kAnthropic : Protocol::kOpenAi;
  ND_CO_ASSIGN(const std::vector<ProviderInfo> providers, co_await context.services.Keeper(context.loop()).ListProviders());
  ND_CO_ASSIGN(const std::vector<keeper::KeyInfo> keys, co_await context.services.Keeper(context.loop()).ListKeys());

  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  if (!anthropic) json.Member("object", "list");
  json.Key("data").BeginArray();
  bool is_default = true;
  std::optional<Error> failure;
  std::size_t answered = 0;
  for (const ProviderInfo& provider : providers) {
    if (provider.protocol != protocol) continue;
    const bool first = std::exchange(is_default, false);
    const bool has_key = std::any_of(keys.begin(), keys.end(), [&](const keeper::KeyInfo& key) {
      return key.provider == provider.name && (key.owner.empty() || key.owner == context.caller().user());
    });
    if (!has_key) continue;
    Result<std::string> answer = co_await FetchModels(context, provider);
    if (!answer.ok()) {
      failure = std::move(answer).error();
      continue;
    }
    const auto document = ParseJson(*answer, {64, 500'000});
    const boost::json::object* root = document.ok() ? document->root().if_object() : nullptr;
    const boost::json::value* data = root != nullptr ? root->if_contains("data") : nullptr;
    if (data == nullptr || !data->is_array()) {
      failure = Unavailable("The provider's list of models could not be read.");
      continue;
    }
    ++answered;
    for (const boost::json::value& item : data->get_array()) {
      const boost::json::value* id = item.is_object() ? item.get_object().if_contains("id") : nullptr;
      if (id == nullptr || !id->is_string()) continue;
      const std::string name(id->get_string().data(), id->get_string().size());
      if (!CheckScope(context.caller(), {provider.name, protocol, name}).ok()) continue;
      const std::string shown = first ? name : provider.name + "/" + name;
      json.BeginObject().Member("id", shown);
      if (anthropic) {
        json.Member("type", "model").Member("display_name", shown).Member("created_at", "1970-01-01T00:00:00Z");
      } else {
        json.Member("object", "model").Member("created", std::int64_t{0}).Member("owned_by", provider.name);
      }
      json.EndObject();
    }
  }
  json.EndArray();
  if (anthropic) json.MemberBool("has_more", false).Key("first_id").Null().Key("last_id").Null();
  json.EndObject();
  // Nothing at all is an error if someone failed; one provider's failure does not hide the others' models.
  if (answered == 0 && failure) co_return std::move(*failure);
  co_return body;
}

}  // namespace nd::server
