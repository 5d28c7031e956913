// Who a request speaks for, once proved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nd::session {

enum class Role : std::uint8_t { kAdmin, kOperator, kViewer, kAuditor };

std::string_view RoleName(Role role);  // "admin"
std::optional<Role> RoleFromName(std::string_view name);

// What an agent token may do. Grammar (docs/protocol/http.md): "model:GLOB", "read:GLOB", "write:GLOB",
// "command:PROGRAM", "mcp". In a GLOB, '*' stands for any run of characters.
struct Scope {
  enum class Kind : std::uint8_t { kModel, kRead, kWrite, kCommand, kMcp };
  Kind kind = Kind::kMcp;
  std::string pattern;  // empty for kMcp

  static Result<Scope> Parse(std::string_view text);
  std::string Text() const;
  bool Matches(Kind wanted, std::string_view value) const;
};

enum class CallerKind : std::uint8_t { kUser, kAgent };

// The proof that a token was verified and its session or agent record was alive at that moment. Made by Sessions only.
class Caller {
 public:
  CallerKind kind() const { return kind_; }
  bool is_agent() const { return kind_ == CallerKind::kAgent; }
  // The user who acts, or on whose behalf the agent acts. Canonical form.
  const std::string& user() const { return user_; }
  Role role() const { return role_; }  // an agent has its user's role as an upper bound
  // Users: session id. Agents: token id. Both are safe to show to their owner; logs carry session_hash().
  const std::string& id() const { return id_; }
  // Keyed hash of the id for logs: "k" and 16 characters, e.g. "k3VxN…".
  const std::string& session_hash() const { return session_hash_; }
  const std::vector<Scope>& scopes() const { return scopes_; }
  // True for users; for agents if a scope allows it.
  bool Allows(Scope::Kind kind, std::string_view value) const;
  // When the last authentication factor was shown. Users only.
  WallTime authenticated_at() const { return authenticated_at_; }
  // The moment at which what was verified ends: token expiry or session end, whichever comes first.
  WallTime deadline() const { return deadline_; }
  // The absolute end of the session (users) or token (agents), whatever the access token's own expiry.
  WallTime session_ends_at() const { return session_ends_at_; }

 private:
  friend class Sessions;
  Caller() = default;
  CallerKind kind_ = CallerKind::kUser;
  std::string user_;
  Role role_ = Role::kViewer;
  std::string id_;
  std::string session_hash_;
  std::vector<Scope> scopes_;
  WallTime authenticated_at_{};
  WallTime deadline_{};
  WallTime session_ends_at_{};
};

using CallerPtr = std::shared_ptr<const Caller>;

}  // namespace nd::session
