#include "session/principal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace nd::session {

namespace {

constexpr std::size_t kMaxPattern = 256;  // bytes: longer than any path pattern a person writes by hand
constexpr std::size_t kMaxProgram = 64;

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoles = {
    {{Role::kAdmin, "admin"}, {Role::kOperator, "operator"}, {Role::kViewer, "viewer"}, {Role::kAuditor, "auditor"}}};

constexpr std::array<std::pair<Scope::Kind, std::string_view>, 4> kScopes = {{{Scope::Kind::kModel, "model:"},
                                                                              {Scope::Kind::kRead, "read:"},
                                                                              {Scope::Kind::kWrite, "write:"},
                                                                              {Scope::Kind::kCommand, "command:"}}};

constexpr const char* kScopeHelp =
    "A scope is model:GLOB, read:GLOB, write:GLOB, command:PROGRAM or mcp; a GLOB has 1 to 256 bytes and '*' in it "
    "stands "
    "for any run of characters, a PROGRAM is one name.";

// '*' matches any run. Remembers only the last star, so the work is bounded by the product of the sizes.
bool GlobMatches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

// A name as in a folder of programs: "git", "g++", "python3.11".
bool IsProgram(std::string_view text) {
  if (text.empty() || text.size() > kMaxProgram) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const auto good = [&](char c) { return letter(c) || c == '.' || c == '_' || c == '-' || c == '+'; };
  return letter(text.front()) && std::all_of(text.begin(), text.end(), good);
}

}  // namespace

std::string_view RoleName(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "viewer";  // not reached: every role is in the table
}

std::optional<Role> RoleFromName(std::string_view name) {
  for (const auto& [value, text] : kRoles) {
    if (text == name) return value;
  }
  return std::nullopt;
}

Result<Scope> Scope::Parse(std::string_view text) {
  if (text == "mcp") return Scope{Kind::kMcp, ""};
  for (const auto& [kind, prefix] : kScopes) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view pattern = text.substr(prefix.size());
    const bool good = kind == Kind::kCommand ? IsProgram(pattern)
                                             : !pattern.empty() && pattern.size() <= kMaxPattern &&
                                                   !HasControlCharacter(pattern) && IsValidUtf8(pattern);
    if (!good) break;
    return Scope{kind, std::string(pattern)};
  }
  return InvalidInput(kScopeHelp);
}

std::string Scope::Text() const {
  for (const auto& [value, prefix] : kScopes) {
    if (value == kind) return std::string(prefix) + pattern;
  }
  return "mcp";
}

bool Scope::Matches(Kind wanted, std::string_view value) const {
  if (kind != wanted) return false;
  switch (kind) {
    case Kind::kMcp:
      return true;
    case Kind::kCommand:
      return pattern == value;
    case Kind::kModel:
    case Kind::kRead:
    case Kind::kWrite:
      return GlobMatches(pattern, value);
  }
  return false;
}

bool Caller::Allows(Scope::Kind kind, std::string_view value) const {
  if (kind_ == CallerKind::kUser) return true;
  return std::any_of(scopes_.begin(), scopes_.end(), [&](const Scope& scope) { return scope.Matches(kind, value); });
}

}  // namespace nd::session
