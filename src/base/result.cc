#include "base/result.h"

#include <cstring>

namespace nd {

std::string_view DefaultCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidInput: return "invalid_request";
    case ErrorKind::kUnauthenticated: return "unauthenticated";
    case ErrorKind::kForbidden: return "forbidden";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kConflict: return "conflict";
    case ErrorKind::kTooLarge: return "too_large";
    case ErrorKind::kRateLimited: return "rate_limited";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kInternal: return "internal";
  }
  return "internal";
}

namespace {
Error Make(ErrorKind kind, std::string public_text, std::string detail, int retry_after_seconds = 0) {
  return Error{kind, DefaultCode(kind), std::move(public_text), std::move(detail), retry_after_seconds};
}
}  // namespace

Error&& Error::At(std::string_view where) && {
  detail.insert(0, std::string(where) + ": ");
  return std::move(*this);
}

Error InvalidInput(std::string text, std::string detail) {
  return Make(ErrorKind::kInvalidInput, std::move(text), std::move(detail));
}
Error Unauthenticated(std::string text, std::string detail) {
  return Make(ErrorKind::kUnauthenticated, std::move(text), std::move(detail));
}
Error Forbidden(std::string text, std::string detail) {
  return Make(ErrorKind::kForbidden, std::move(text), std::move(detail));
}
Error NotFound(std::string text, std::string detail) {
  return Make(ErrorKind::kNotFound, std::move(text), std::move(detail));
}
Error Conflict(std::string text, std::string detail) {
  return Make(ErrorKind::kConflict, std::move(text), std::move(detail));
}
Error TooLarge(std::string text, std::string detail) {
  return Make(ErrorKind::kTooLarge, std::move(text), std::move(detail));
}
Error RateLimited(std::string text, int retry_after_seconds, std::string detail) {
  return Make(ErrorKind::kRateLimited, std::move(text), std::move(detail), retry_after_seconds);
}
Error Unavailable(std::string text, std::string detail, int retry_after_seconds) {
  return Make(ErrorKind::kUnavailable, std::move(text), std::move(detail), retry_after_seconds);
}
Error Internal(std::string detail) {
  return Make(ErrorKind::kInternal,
              "The server could not complete the request. The administrator finds the cause in the server's log under "
              "this request id.",
              std::move(detail));
}
Error InternalErrno(std::string_view what, int error_number) {
  return Internal(std::string(what) + ": " + std::strerror(error_number));
}
Error WithCode(Error error, std::string_view code) {
  error.code = code;
  return error;
}

}  // namespace nd
