// The one map from errors to answers: status codes and the three error shapes (RFC 9457, OpenAI's, Anthropic's).
//
// Pure; thread-safe.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "server/route.h"

namespace nd::server {

int StatusOf(const Error& error);
// No stack, path, library name or echo of input: only the error's public text and the request id.
http::Response ProblemResponse(const Error& error, ErrorShape shape, std::string_view request_id);
// The shape of errors on a path that has no route.
ErrorShape ShapeOfPath(std::string_view path);

}  // namespace nd::server
