// What a fallible function returns: a value, or one Error of a few kinds.
//
// A kind says what the caller does next; `code` is the public problem code (docs/protocol/http.md); `public_text` may be
// shown to all the world and never echoes input; `detail` is for the operator's log and never holds a secret.
// Not an exception replacement inside a room's own arithmetic: programming errors end the process.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nd {

enum class ErrorKind {
  kInvalidInput,
  kUnauthenticated,
  kForbidden,
  kNotFound,
  kConflict,
  kTooLarge,
  kRateLimited,
  kUnavailable,
  kInternal,
};

// The default problem code of a kind, e.g. "invalid_request".
std::string_view DefaultCode(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string_view code;    // static storage; see DefaultCode
  std::string public_text;  // what happened and what to do next
  std::string detail;       // for the log; no secrets
  int retry_after_seconds = 0;

  // Adds to `detail` where the error passed through; returns itself for chaining.
  Error&& At(std::string_view where) &&;
};

// Makers, one per kind. `public_text` is a sentence for the person or program that asked.
Error InvalidInput(std::string public_text, std::string detail = {});
Error Unauthenticated(std::string public_text, std::string detail = {});
Error Forbidden(std::string public_text, std::string detail = {});
Error NotFound(std::string public_text, std::string detail = {});
Error Conflict(std::string public_text, std::string detail = {});
Error TooLarge(std::string public_text, std::string detail = {});
Error RateLimited(std::string public_text, int retry_after_seconds, std::string detail = {});
Error Unavailable(std::string public_text, std::string detail = {}, int retry_after_seconds = 0);
// The public text of an internal error is fixed; only the log learns more.
Error Internal(std::string detail);
// An internal error that names the failed system call and errno.
Error InternalErrno(std::string_view what, int error_number);
// The same error under another public code (static storage).
Error WithCode(Error error, std::string_view code);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  // Precondition: !ok().
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace nd

#define ND_CONCAT_INNER(a, b) a##b
#define ND_CONCAT(a, b) ND_CONCAT_INNER(a, b)

// Returns the error of `expr` to the caller; goes on otherwise.
#define ND_TRY(expr)                                                       \
  do {                                                                     \
    if (auto nd_try = (expr); !nd_try.ok()) return std::move(nd_try).error(); \
  } while (false)

// The same two in a coroutine.
#define ND_CO_TRY(expr)                                                          \
  do {                                                                           \
    if (auto nd_try = (expr); !nd_try.ok()) co_return std::move(nd_try).error(); \
  } while (false)
#define ND_CO_ASSIGN(lhs, expr) ND_CO_ASSIGN_INNER(ND_CONCAT(nd_result_, __LINE__), lhs, expr)
#define ND_CO_ASSIGN_INNER(tmp, lhs, expr)             \
  auto tmp = (expr);                                   \
  if (!tmp.ok()) co_return std::move(tmp).error();     \
  lhs = *std::move(tmp)

// Binds the value of `expr` to `lhs`, or returns its error to the caller.
#define ND_ASSIGN(lhs, expr) ND_ASSIGN_INNER(ND_CONCAT(nd_result_, __LINE__), lhs, expr)
#define ND_ASSIGN_INNER(tmp, lhs, expr)             \
  auto tmp = (expr);                                \
  if (!tmp.ok()) return std::move(tmp).error();     \
  lhs = *std::move(tmp)
