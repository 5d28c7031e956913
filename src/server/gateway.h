// Model calls through the keeper: which provider, may this caller, relay, record.
//
// Per request, on its loop. Never sees a provider key; never forwards a provider's error text.
#pragma once

#include <string>
#include <string_view>

#include "keeper/client.h"
#include "server/context.h"

namespace nd::server {

struct ModelTarget {
  std::string provider;
  keeper::Protocol protocol = keeper::Protocol::kOpenAi;
  std::string model;  // as the provider knows it
};

struct GatewayCall {
  ModelTarget target;
  keeper::Endpoint endpoint = keeper::Endpoint::kChatCompletions;
  std::string body;
  bool stream = false;
};

// An answer that is not streamed is gathered up to this size, bytes.
inline constexpr std::size_t kMaxAnswer = 32 * 1024 * 1024;

// For /api/chat: an explicit provider and model, or the defaults. kNotFound, kForbidden (agent scopes).
net::Task<Result<ModelTarget>> ChooseTarget(Context& context, std::string provider, std::string model);

// Calls and gathers the answer's body. Audited as MODEL_CALL, intent and outcome.
net::Task<Result<std::string>> CallModel(Context& context, GatewayCall call);

// A provider-shaped route from body to answer, streamed or not.
net::Task<Result<Reply>> RelayModelRequest(Context& context, keeper::Protocol protocol, keeper::Endpoint endpoint);

// GET /v1/models over every provider of the protocol whose key the caller may use: the default provider's ids as they are,
// the others' as "NAME/id". Only models that the caller's scopes allow.
net::Task<Result<std::string>> ListModels(Context& context);

}  // namespace nd::server
