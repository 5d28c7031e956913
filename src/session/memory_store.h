// A store that forgets at the end of the process: for tests, and the second implementation that keeps the seam honest.
//
// Thread-safe. Not for the product: nothing survives a restart.
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "session/store.h"

namespace nd::session {

class MemoryStore final : public Store {
 public:
  Result<Contents> Load() override;
  Result<std::string> RememberOnce(std::string_view name, std::string_view value) override;
  Result<void> AddUser(const UserRow& user) override;
  Result<void> AddFirstUser(const UserRow& user, std::string_view setup_hash, WallTime now) override;
  Result<void> ReplaceUser(const UserRow& next, std::uint64_t expected_epoch, std::string_view kept_session,
                           AgentTokens agent_tokens, WallTime now) override;
  Result<void> AddSession(const SessionRow& session, const std::vector<std::string>& ended) override;
  Result<void> RotateSession(const SessionRow& next) override;
  Result<void> DeleteSessions(const std::vector<std::string>& ids) override;
  Result<void> AddAgentToken(const AgentTokenRow& token) override;
  Result<void> DeleteAgentTokens(const std::vector<std::string>& ids) override;
  Result<void> PutSetupToken(const SetupTokenRow& token) override;
  Result<void> RecordUse(const UseTimes& sessions, const UseTimes& agent_tokens) override;

 private:
  bool IsActive(const std::string& user) const ND_REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::string, UserRow> users_ ND_GUARDED_BY(mutex_);
  std::map<std::string, SessionRow> sessions_ ND_GUARDED_BY(mutex_);
  std::map<std::string, AgentTokenRow> agent_tokens_ ND_GUARDED_BY(mutex_);
  std::optional<SetupTokenRow> setup_token_ ND_GUARDED_BY(mutex_);
  std::map<std::string, std::string, std::less<>> meta_ ND_GUARDED_BY(mutex_);
};

}  // namespace nd::session
