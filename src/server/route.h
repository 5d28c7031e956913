// The route table: one row per method and path, with everything that is decided before a handler runs.
//
// A row without an access policy, CSRF rule, rate class, audit class or body rule does not compile: none of these types
// has a default. docs/protocol/http.md and docs/openapi.yaml are kept from this table by a test.
// Immutable after start; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "net/asio.h"
#include "session/principal.h"

namespace nd::server {

struct Context;
// What a handler returns: an answer, or nothing when it has streamed one through the exchange itself.
using Reply = std::optional<http::Response>;
using Handler = net::Task<Result<Reply>> (*)(Context&);

// Who may call.
class Access {
 public:
  enum class Agents : std::uint8_t { kNever, kWithModelScope, kAny };

  static consteval Access Anyone() { return Access(true, 0, Agents::kNever); }
  static consteval Access AnyUser() { return Access(false, 0xf, Agents::kNever); }
  static consteval Access Users(std::initializer_list<session::Role> roles, Agents agents = Agents::kNever) {
    unsigned mask = 0;
    for (const session::Role role : roles) mask |= 1U << static_cast<unsigned>(role);
    return Access(false, mask, agents);
  }

  constexpr bool anonymous() const { return anonymous_; }
  constexpr bool Admits(session::Role role) const { return (roles_ >> static_cast<unsigned>(role) & 1U) != 0; }
  constexpr Agents agents() const { return agents_; }

 private:
  consteval Access(bool anonymous, unsigned roles, Agents agents)
      : anonymous_(anonymous), roles_(roles), agents_(agents) {}
  bool anonymous_;
  unsigned roles_;
  Agents agents_;
};

// Whether a session's call needs the double-submit token. Agents never do: nothing ambient carries their token.
class CsrfRule {
 public:
  static consteval CsrfRule Safe() { return CsrfRule(false, "reads only"); }
  static consteval CsrfRule Required() { return CsrfRule(true, {}); }
  // A mutation without it needs a reason; the reason is printed in the documents.
  static consteval CsrfRule ExemptBecause(std::string_view reason) { return CsrfRule(false, reason); }

  constexpr bool required() const { return required_; }
  constexpr std::string_view reason() const { return reason_; }

 private:
  consteval CsrfRule(bool required, std::string_view reason) : required_(required), reason_(reason) {}
  bool required_;
  std::string_view reason_;
};

// Token buckets; numbers in rate_limiter.h.
enum class RateClass : std::uint8_t { kSignIn, kUnknownPath, kReport, kBadToken, kPublic, kPrincipal };
enum class AuditClass : std::uint8_t { kNone, kWrite, kSync };
// In whose shape errors are told.
enum class ErrorShape : std::uint8_t { kProblem, kOpenAi, kAnthropic };

class BodyRule {
 public:
  static consteval BodyRule None() { return BodyRule(Kind::kNone, 1024, false); }
  static consteval BodyRule Json(std::size_t limit) { return BodyRule(Kind::kJson, limit, false); }
  // Passwords and keys: every buffer is wiped afterwards.
  static consteval BodyRule SecretJson(std::size_t limit) { return BodyRule(Kind::kJson, limit, true); }
  static consteval BodyRule CspReport(std::size_t limit) { return BodyRule(Kind::kCspReport, limit, false); }

  enum class Kind : std::uint8_t { kNone, kJson, kCspReport };
  constexpr Kind kind() const { return kind_; }
  constexpr std::size_t limit() const { return limit_; }
  constexpr bool sensitive() const { return sensitive_; }

 private:
  consteval BodyRule(Kind kind, std::size_t limit, bool sensitive) : kind_(kind), limit_(limit), sensitive_(sensitive) {}
  Kind kind_;
  std::size_t limit_;
  bool sensitive_;
};

struct Route {
  http::Method method;
  std::string_view pattern;  // segments; ":name" takes one segment of [A-Za-z0-9._~@-]
  Access access;
  CsrfRule csrf;
  RateClass rate;
  AuditClass audit;
  BodyRule body;
  ErrorShape shape;
  Handler handler;
};

std::span<const Route> Routes();

struct RouteMatch {
  const Route* route = nullptr;     // null: no such path, or not with this method
  bool path_known = false;
  std::string allow;                // for 405
  std::string_view parameter;       // the segment that ":name" took
};

// HEAD is answered where GET is.
RouteMatch MatchRoute(http::Method method, std::string_view path);

std::string_view RateClassName(RateClass rate);
std::string_view AuditClassName(AuditClass audit);

}  // namespace nd::server
