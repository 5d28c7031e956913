// Administration of users.
#include <utility>

#include "session/account.h"
#include "session/sessions_impl.h"
#include "session/store_errors.h"

namespace nd::session {

UserInfo ToInfo(const UserRow& user) { return {user.id, user.role, user.disabled, user.created_at}; }

std::vector<UserInfo> Sessions::Impl::ListUsers() const {
  std::vector<UserInfo> list;
  MutexLock lock(users_mutex_);
  for (const auto& [id, user] : users_) list.push_back(ToInfo(user.row));
  return list;
}

Result<UserInfo> Sessions::Impl::AddUser(std::string_view user, Role role, std::string_view password) {
  ND_ASSIGN(std::string name, CanonicalUser(user));
  ND_TRY(CheckNewPassword(password, name));
  if (FindUser(name)) return UserExists();
  MutexLock hashing(sign_in_);
  UserRow row{std::move(name), "", role, false, 1, clock_.Now()};
  ND_ASSIGN(row.password_hash, Hash(password));
  MutexLock lock(write_);
  ND_TRY(store_->AddUser(row));
  PublishNewUser(row);
  return ToInfo(row);
}

Result<UserInfo> Sessions::Impl::UpdateUser(std::string_view user, const UserChange& change) {
  const auto name = CanonicalUser(user);
  if (!name.ok() || !FindUser(*name)) return NoSuchUser();
  if (change.password) ND_TRY(CheckNewPassword(*change.password, *name));

  EndedList ended;
  auto updated = [&]() -> Result<UserInfo> {
    std::optional<std::string> hash;
    if (change.password) {
      MutexLock hashing(sign_in_);
      ND_ASSIGN(hash, Hash(*change.password));
    }
    MutexLock lock(write_);
    const std::optional<UserRow> before = FindUser(*name);
    if (!before) return NoSuchUser();
    UserRow next = *before;
    next.role = change.role.value_or(next.role);
    next.disabled = change.disabled.value_or(next.disabled);
    if (hash) next.password_hash = *std::move(hash);
    if (next == *before) return ToInfo(next);
    ++next.epoch;

    const bool disables = next.disabled && !before->disabled;
    const bool new_role = next.role != before->role;
    const auto agents = disables ? Store::AgentTokens::kDelete : Store::AgentTokens::kKeep;
    ND_TRY(store_->ReplaceUser(next, before->epoch, "", agents, clock_.Now()));
    PublishUser(next);
    const EndReason reason = disables   ? EndReason::kUserDisabled
                             : new_role ? EndReason::kRoleChange
                                        : EndReason::kPasswordChange;
    for (const std::string& id : SessionIds(*name)) ForgetSession(id, reason, ended);
    for (const std::string& id : AgentIds(*name)) {
      if (disables) {
        ForgetAgent(id, EndReason::kUserDisabled, ended);
      } else if (new_role) {
        // The token lives, under the new role; what was connected under the old one has to connect anew.
        ended.push_back({id, CallerKind::kAgent, EndReason::kRoleChange});
      }
    }
    return ToInfo(next);
  }();
  Notify(ended);
  return updated;
}

}  // namespace nd::session
