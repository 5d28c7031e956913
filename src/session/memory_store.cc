#include "session/memory_store.h"

#include <algorithm>

#include "session/store_errors.h"

namespace nd::session {

Result<Store::Contents> MemoryStore::Load() {
  MutexLock lock(mutex_);
  Contents contents;
  for (const auto& [id, row] : users_) contents.users.push_back(row);
  for (const auto& [id, row] : sessions_) contents.sessions.push_back(row);
  for (const auto& [id, row] : agent_tokens_) contents.agent_tokens.push_back(row);
  contents.setup_token = setup_token_;
  return contents;
}

Result<std::string> MemoryStore::RememberOnce(std::string_view name, std::string_view value) {
  MutexLock lock(mutex_);
  return meta_.try_emplace(std::string(name), value).first->second;
}

Result<void> MemoryStore::AddUser(const UserRow& user) {
  MutexLock lock(mutex_);
  if (!users_.try_emplace(user.id, user).second) return UserExists();
  setup_token_.reset();
  return {};
}

Result<void> MemoryStore::AddFirstUser(const UserRow& user, std::string_view setup_hash, WallTime now) {
  MutexLock lock(mutex_);
  if (!users_.empty()) return SetupIsOver();
  if (!setup_token_ || setup_token_->hash != setup_hash || setup_token_->expires_at <= now) return SetupTokenRefused();
  users_.emplace(user.id, user);
  setup_token_.reset();
  return {};
}

Result<void> MemoryStore::ReplaceUser(const UserRow& next, std::uint64_t expected_epoch, std::string_view kept_session,
                                      AgentTokens agent_tokens, WallTime now) {
  MutexLock lock(mutex_);
  const auto found = users_.find(next.id);
  if (found == users_.end()) return NoSuchUser();
  if (found->second.epoch != expected_epoch) return ChangedMeanwhile();
  if (found->second.IsActiveAdmin() && !next.IsActiveAdmin()) {
    const auto admins =
        std::count_if(users_.begin(), users_.end(), [](const auto& u) { return u.second.IsActiveAdmin(); });
    if (admins == 1) return LastAdmin();
  }
  found->second = next;
  if (next.epoch != expected_epoch) {
    std::erase_if(sessions_, [&](const auto& s) { return s.second.user == next.id && s.first != kept_session; });
    if (const auto kept = sessions_.find(std::string(kept_session)); kept != sessions_.end()) {
      kept->second.user_epoch = next.epoch;
      kept->second.authenticated_at = now;
    }
  }
  if (agent_tokens == AgentTokens::kDelete) {
    std::erase_if(agent_tokens_, [&](const auto& token) { return token.second.user == next.id; });
  }
  return {};
}

bool MemoryStore::IsActive(const std::string& user) const {
  const auto found = users_.find(user);
  return found != users_.end() && !found->second.disabled;
}

Result<void> MemoryStore::AddSession(const SessionRow& session, const std::vector<std::string>& ended) {
  MutexLock lock(mutex_);
  if (!IsActive(session.user) || users_.at(session.user).epoch != session.user_epoch) return ChangedMeanwhile();
  if (!sessions_.try_emplace(session.id, session).second) return ChangedMeanwhile();
  for (const std::string& id : ended) sessions_.erase(id);
  return {};
}

Result<void> MemoryStore::RotateSession(const SessionRow& next) {
  MutexLock lock(mutex_);
  const auto found = sessions_.find(next.id);
  if (found == sessions_.end()) return NoSuchSession();
  if (found->second.generation + 1 != next.generation) return ChangedMeanwhile();
  SessionRow& row = found->second;
  row.generation = next.generation;
  row.refresh_hash = next.refresh_hash;
  row.rotated_at = next.rotated_at;
  row.address = next.address;
  row.user_agent = next.user_agent;
  row.last_seen_at = next.last_seen_at;
  return {};
}

Result<void> MemoryStore::DeleteSessions(const std::vector<std::string>& ids) {
  MutexLock lock(mutex_);
  for (const std::string& id : ids) sessions_.erase(id);
  return {};
}

Result<void> MemoryStore::AddAgentToken(const AgentTokenRow& token) {
  MutexLock lock(mutex_);
  if (!IsActive(token.user)) return ChangedMeanwhile();
  if (!agent_tokens_.try_emplace(token.id, token).second) return ChangedMeanwhile();
  return {};
}

Result<void> MemoryStore::DeleteAgentTokens(const std::vector<std::string>& ids) {
  MutexLock lock(mutex_);
  for (const std::string& id : ids) agent_tokens_.erase(id);
  return {};
}

Result<void> MemoryStore::PutSetupToken(const SetupTokenRow& token) {
  MutexLock lock(mutex_);
  if (!users_.empty()) return SetupIsOver();
  setup_token_ = token;
  return {};
}

Result<void> MemoryStore::RecordUse(const UseTimes& sessions, const UseTimes& agent_tokens) {
  MutexLock lock(mutex_);
  for (const auto& [id, time] : sessions) {
    if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.last_seen_at = time;
  }
  for (const auto& [id, time] : agent_tokens) {
    if (const auto found = agent_tokens_.find(id); found != agent_tokens_.end()) found->second.last_used_at = time;
  }
  return {};
}

}  // namespace nd::session
