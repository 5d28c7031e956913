#include "server/problem.h"

#include "base/json.h"

namespace nd::server {

int StatusOf(const Error& error) {
  // Codes that say more than their kind.
  if (error.code == "method_not_allowed") return 405;
  if (error.code == "unsupported_media_type") return 415;
  if (error.code == "misdirected") return 421;
  if (error.code == "headers_too_large") return 431;
  switch (error.kind) {
    case ErrorKind::kInvalidInput: return 400;
    case ErrorKind::kUnauthenticated: return 401;
    case ErrorKind::kForbidden: return 403;
    case ErrorKind::kNotFound: return 404;
    case ErrorKind::kConflict: return 409;
    case ErrorKind::kTooLarge: return 413;
    case ErrorKind::kRateLimited: return 429;
    case ErrorKind::kUnavailable: return 503;
    case ErrorKind::kInternal: return 500;
  }
  return 500;
}

namespace {
std::string_view AnthropicType(int status) {
  switch (status) {
    case 400: return "invalid_request_error";
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

std::string_view OpenAiType(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
  }
}

std::string Body(const Error& error, int status, ErrorShape shape, std::string_view request_id) {
  std::string body;
  JsonWriter json(body);
  switch (shape) {
    case ErrorShape::kProblem:
      json.BeginObject()
          .Member("type", "about:blank")
          .Member("title", http::ReasonPhrase(status))
          .Member("status", std::int64_t{status})
          .Member("code", error.code)
          .Member("detail", error.public_text)
          .Member("requestId", request_id)
          .EndObject();
      break;
    case ErrorShape::kOpenAi:
      json.BeginObject().Key("error").BeginObject()
          .Member("message", error.public_text)
          .Member("type", OpenAiType(status))
          .Key("param").Null()
          .Member("code", error.code)
          .EndObject().Member("request_id", request_id).EndObject();
      break;
    case ErrorShape::kAnthropic:
      json.BeginObject().Member("type", "error").Key("error").BeginObject()
          .Member("type", AnthropicType(status))
          .Member("message", error.public_text)
          .EndObject().Member("request_id", request_id).EndObject();
      break;
  }
  return body;
}
}  // namespace

http::Response ProblemResponse(const Error& error, ErrorShape shape, std::string_view request_id) {
  http::Response response;
  response.status = StatusOf(error);
  response.content_type = shape == ErrorShape::kProblem ? "application/problem+json" : "application/json";
  response.body = Body(error, response.status, shape, request_id);
  if (error.retry_after_seconds > 0) response.AddField("Retry-After", std::to_string(error.retry_after_seconds));
  if (response.status == 401) response.AddField("WWW-Authenticate", "Bearer realm=\"neuraldeck\"");
  return response;
}

ErrorShape ShapeOfPath(std::string_view path) {
  if (path == "/v1/messages" || path.starts_with("/v1/messages/")) return ErrorShape::kAnthropic;
  return path.starts_with("/v1/") ? ErrorShape::kOpenAi : ErrorShape::kProblem;
}

}  // namespace nd::server
