// Agent tokens: made, listed, revoked.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "crypto/sha256.h"
#include "session/sessions_impl.h"
#include "session/store_errors.h"
#include "session/tokens.h"

namespace nd::session {

namespace {
constexpr std::size_t kAgentSecretBytes = 32;
constexpr std::size_t kMaxAgentName = 64;
constexpr std::size_t kMaxScopes = 64;
constexpr std::chrono::seconds kMinAgentLifetime{1};
// A year and a day of slack: every token is looked at again once a year.
constexpr std::chrono::seconds kMaxAgentLifetime = std::chrono::days(366);
// Per user; they are all in memory. A program that makes tokens in a loop stops here.
constexpr std::size_t kMaxAgentTokens = 1000;

Error NoSuchToken() { return NotFound("There is no such agent token; it may have been revoked or have expired."); }
}  // namespace

AgentTokenInfo ToInfo(const AgentRecord& agent) {
  return {agent.row.id,         agent.row.user,       agent.row.name,        agent.row.scopes,
          agent.row.created_at, agent.row.expires_at, agent.last_used->Get()};
}

std::vector<AgentTokenInfo> Sessions::Impl::ListAgentTokens(std::string_view user) const {
  std::vector<AgentTokenInfo> list;
  if (user.empty()) {
    for (const AgentPtr& agent : agents_.All()) list.push_back(ToInfo(*agent));
  } else {
    for (const std::string& id : AgentIds(user)) {
      if (const AgentPtr agent = agents_.Find(id)) list.push_back(ToInfo(*agent));
    }
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return std::pair(b.created_at, std::string_view(a.id)) < std::pair(a.created_at, std::string_view(b.id));
  });
  return list;
}

Result<NewAgentToken> Sessions::Impl::CreateAgentToken(std::string_view user, std::string_view name,
                                                       std::vector<Scope> scopes, std::chrono::seconds lifetime) {
  if (name.empty() || name.size() > kMaxAgentName || HasControlCharacter(name) || !IsValidUtf8(name)) {
    return InvalidInput("An agent token needs a name of 1 to 64 bytes without control characters.");
  }
  if (scopes.empty() || scopes.size() > kMaxScopes) {
    return InvalidInput("An agent token needs 1 to 64 scopes, for example model:* or read:docs/*.");
  }
  for (const Scope& scope : scopes) ND_TRY(Scope::Parse(scope.Text()));
  if (lifetime < kMinAgentLifetime || lifetime > kMaxAgentLifetime) {
    return InvalidInput("An agent token lives from 1 second to 366 days. Choose an expiry between.");
  }
  const auto owner = CanonicalUser(user);
  if (!owner.ok()) return NoSuchUser();

  const Secret secret = RandomSecret(random_, kAgentSecretBytes);
  AgentTokenRow row;
  row.id = RandomBase32(random_, kAgentIdSize);
  row.user = *owner;
  row.name = name;
  row.scopes = std::move(scopes);
  row.secret_hash = Sha256(secret.ExposeSecret());
  row.created_at = clock_.Now();
  row.expires_at = row.created_at + lifetime;

  MutexLock lock(write_);
  const std::optional<UserRow> found = FindUser(*owner);
  if (!found) return NoSuchUser();
  if (found->disabled) return Conflict("This user is disabled. Enable the user before making tokens.");
  if (AgentIds(*owner).size() >= kMaxAgentTokens) {
    return Conflict("This user has 1000 agent tokens. Revoke some before making more.");
  }
  ND_TRY(store_->AddAgentToken(row));
  const std::string id = row.id;
  PublishAgent(std::move(row));
  return NewAgentToken{FormatAgentToken(id, secret.ExposeSecret()), ToInfo(*agents_.Find(id))};
}

Result<void> Sessions::Impl::RevokeAgentToken(std::string_view id, std::string_view user) {
  EndedList ended;
  auto revoked = [&]() -> Result<void> {
    MutexLock lock(write_);
    const AgentPtr agent = agents_.Find(id);
    if (agent == nullptr || (!user.empty() && agent->row.user != user)) return NoSuchToken();
    ND_TRY(store_->DeleteAgentTokens({agent->row.id}));
    ForgetAgent(agent->row.id, EndReason::kTokenRevoked, ended);
    return {};
  }();
  Notify(ended);
  return revoked;
}

}  // namespace nd::session
