// The provider-shaped routes: a model request comes in with the deck's token and goes out with the provider's key.

#include <fmt/format.h>

#include <optional>

#include "server/chat.h"
#include "server/gateway.h"
#include "server/handlers.h"
#include "server/services.h"

namespace nd::server {

net::Task<Result<Reply>> HandleChatCompletions(Context& context) {
  return RelayModelRequest(context, keeper::Protocol::kOpenAi, keeper::Endpoint::kChatCompletions);
}

net::Task<Result<Reply>> HandleEmbeddings(Context& context) {
  return RelayModelRequest(context, keeper::Protocol::kOpenAi, keeper::Endpoint::kEmbeddings);
}

net::Task<Result<Reply>> HandleMessages(Context& context) {
  return RelayModelRequest(context, keeper::Protocol::kAnthropic, keeper::Endpoint::kMessages);
}

net::Task<Result<Reply>> HandleModels(Context& context) {
  ND_CO_ASSIGN(std::string list, co_await ListModels(context));
  co_return JsonResponse(std::move(list));
}

net::Task<Result<Reply>> HandleChat(Context& context) {
  ND_CO_ASSIGN(const ChatRequest chat, ReadChatRequest(context.request.body));
  ND_CO_ASSIGN(const ModelTarget target, co_await ChooseTarget(context, chat.provider, chat.model));
  const bool anthropic = target.protocol == keeper::Protocol::kAnthropic;
  GatewayCall call;
  call.target = target;
  call.endpoint = anthropic ? keeper::Endpoint::kMessages : keeper::Endpoint::kChatCompletions;
  call.body = anthropic ? AnthropicBody(chat, target.model) : OpenAiBody(chat, target.model);
  ND_CO_ASSIGN(std::string answer, co_await CallModel(context, std::move(call)));
  if (!anthropic) co_return JsonResponse(std::move(answer));
  ND_CO_ASSIGN(std::string completion, CompletionFromAnthropic(answer, context.services.world.clock.Now()));
  co_return JsonResponse(std::move(completion));
}

}  // namespace nd::server
