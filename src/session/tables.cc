// The tables in memory: loading them, keeping them with the store, listing and ending sessions, sweeping.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "session/sessions_impl.h"
#include "session/store_errors.h"

namespace nd::session {

SessionInfo ToInfo(const SessionRecord& session) {
  const SessionRow& row = session.row;
  return {row.id,      row.user,    row.created_at, session.last_seen->Get().value_or(row.last_seen_at),
          row.ends_at, row.address, row.user_agent};
}

Sessions::Impl::Impl(std::unique_ptr<Store> store, JwtRing jwt, Keys keys, Options options, PasswordCost cost,
                     std::string dummy_hash, const Clock& clock, Random& random)
    : store_(std::move(store)),
      csrf_(std::move(keys.csrf)),
      refresh_key_(std::move(keys.refresh)),
      log_hash_key_(std::move(keys.log_hash)),
      options_(std::move(options)),
      cost_(cost),
      dummy_hash_(std::move(dummy_hash)),
      clock_(clock),
      random_(random),
      throttle_(clock) {
  ReplaceJwt(std::move(jwt));
}

void Sessions::Impl::ReplaceJwt(JwtRing ring) {
  MutexLock lock(jwt_mutex_);
  jwt_rings_.push_back(std::make_unique<const JwtRing>(std::move(ring)));
  jwt_.store(jwt_rings_.back().get(), std::memory_order_release);
}

Result<void> Sessions::Impl::Load() {
  MutexLock lock(write_);
  ND_ASSIGN(const std::string owner, store_->RememberOnce("deck_id", options_.deck_id));
  if (owner != options_.deck_id) {
    return Conflict("This store belongs to another deck. Use the data directory that it came from.");
  }
  ND_ASSIGN(Store::Contents contents, store_->Load());
  for (const UserRow& user : contents.users) PublishUser(user);
  const auto has_owner = [&](const auto& row) { return FindUser(row.user).has_value(); };
  if (!std::all_of(contents.sessions.begin(), contents.sessions.end(), has_owner) ||
      !std::all_of(contents.agent_tokens.begin(), contents.agent_tokens.end(), has_owner)) {
    return Internal("the store holds a session or an agent token of a user that it does not hold");
  }
  {
    MutexLock users_lock(users_mutex_);
    setup_token_ = contents.setup_token;
  }
  for (SessionRow& row : contents.sessions) {
    // An address that holds a session has signed in: nobody elsewhere can lock it out, across restarts too.
    throttle_.RecordSuccess(row.user, row.address);
    PublishSession(std::move(row), std::nullopt);
  }
  for (AgentTokenRow& row : contents.agent_tokens) PublishAgent(std::move(row));
  return {};
}

void Sessions::Impl::PublishUser(const UserRow& row) {
  MutexLock lock(users_mutex_);
  User& user = users_[row.id];
  user.row = row;
  if (user.live == nullptr) {
    user.live = std::make_shared<LiveUser>(row.role, row.disabled, row.epoch);
    user_count_.store(users_.size());
    return;
  }
  // The epoch first: sessions of the old one are over before anything else of the user changes.
  user.live->epoch.store(row.epoch);
  user.live->disabled.store(row.disabled);
  user.live->role.store(row.role);
}

void Sessions::Impl::PublishNewUser(const UserRow& row) {
  PublishUser(row);
  MutexLock lock(users_mutex_);
  setup_token_.reset();
}

void Sessions::Impl::PublishSession(SessionRow row, std::optional<SteadyTime> rotated_steady) {
  auto record = std::make_shared<SessionRecord>();
  const SessionPtr before = sessions_.Find(row.id);
  record->last_seen = before != nullptr ? before->last_seen : std::make_shared<UseTime>(row.last_seen_at);
  record->log_hash = before != nullptr ? before->log_hash : LogHash(row.id);
  record->rotated_steady = rotated_steady;
  if (before != nullptr) record->last_seen->Set(clock_.Now());
  record->row = std::move(row);
  MutexLock lock(users_mutex_);
  User& user = users_.at(record->row.user);
  record->user = user.live;
  user.sessions.insert(record->row.id);
  sessions_.Put(std::move(record));
}

void Sessions::Impl::PublishAgent(AgentTokenRow row) {
  auto record = std::make_shared<AgentRecord>();
  record->last_used = std::make_shared<UseTime>(row.last_used_at);
  record->log_hash = LogHash(row.id);
  record->row = std::move(row);
  MutexLock lock(users_mutex_);
  User& user = users_.at(record->row.user);
  record->user = user.live;
  user.agent_tokens.insert(record->row.id);
  agents_.Put(std::move(record));
}

void Sessions::Impl::ForgetSession(const std::string& id, EndReason reason, EndedList& ended) {
  const SessionPtr session = sessions_.Take(id);
  if (session == nullptr) return;
  MutexLock lock(users_mutex_);
  users_.at(session->row.user).sessions.erase(session->row.id);
  ended.push_back({session->row.id, CallerKind::kUser, reason});
}

void Sessions::Impl::ForgetAgent(const std::string& id, EndReason reason, EndedList& ended) {
  const AgentPtr agent = agents_.Take(id);
  if (agent == nullptr) return;
  MutexLock lock(users_mutex_);
  users_.at(agent->row.user).agent_tokens.erase(agent->row.id);
  ended.push_back({agent->row.id, CallerKind::kAgent, reason});
}

std::vector<std::string> Sessions::Impl::SessionIds(std::string_view user) const {
  MutexLock lock(users_mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return {};
  return {found->second.sessions.begin(), found->second.sessions.end()};
}

std::vector<std::string> Sessions::Impl::AgentIds(std::string_view user) const {
  MutexLock lock(users_mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return {};
  return {found->second.agent_tokens.begin(), found->second.agent_tokens.end()};
}

Result<void> Sessions::Impl::EndSessions(const std::vector<std::string>& ids, EndReason reason, EndedList& ended) {
  if (ids.empty()) return {};
  ND_TRY(store_->DeleteSessions(ids));
  for (const std::string& id : ids) ForgetSession(id, reason, ended);
  return {};
}

void Sessions::Impl::Notify(const EndedList& ended) const {
  if (!end_listener_) return;
  for (const Ended& end : ended) end_listener_(end.id, end.kind, end.reason);
}

// --- listing and ending ---

namespace {
void NewestFirst(std::vector<SessionInfo>& list) {
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return std::pair(b.created_at, std::string_view(a.id)) < std::pair(a.created_at, std::string_view(b.id));
  });
}
}  // namespace

std::vector<SessionInfo> Sessions::Impl::ListSessions(std::string_view user) const {
  std::vector<SessionInfo> list;
  const WallTime now = clock_.Now();
  for (const std::string& id : SessionIds(user)) {
    const SessionPtr session = sessions_.Find(id);
    if (session != nullptr && session->Alive(now)) list.push_back(ToInfo(*session));
  }
  NewestFirst(list);
  return list;
}

std::vector<SessionInfo> Sessions::Impl::ListAllSessions() const {
  std::vector<SessionInfo> list;
  const WallTime now = clock_.Now();
  for (const SessionPtr& session : sessions_.All()) {
    if (session->Alive(now)) list.push_back(ToInfo(*session));
  }
  NewestFirst(list);
  return list;
}

Result<void> Sessions::Impl::EndSession(std::string_view id, std::string_view user, EndReason reason) {
  EndedList ended;
  auto result = [&]() -> Result<void> {
    MutexLock lock(write_);
    const SessionPtr session = sessions_.Find(id);
    // Another's session and no session look the same.
    if (session == nullptr || (!user.empty() && session->row.user != user)) return NoSuchSession();
    return EndSessions({session->row.id}, reason, ended);
  }();
  Notify(ended);
  return result;
}

Result<std::size_t> Sessions::Impl::EndAllSessions(std::string_view user, std::string_view except_id,
                                                   EndReason reason) {
  const auto name = CanonicalUser(user);
  if (!name.ok()) return NoSuchUser();
  EndedList ended;
  auto result = [&]() -> Result<std::size_t> {
    MutexLock lock(write_);
    if (!FindUser(*name)) return NoSuchUser();
    std::vector<std::string> ids = SessionIds(*name);
    std::erase(ids, except_id);
    ND_TRY(EndSessions(ids, reason, ended));
    return ended.size();
  }();
  Notify(ended);
  return result;
}

// --- sweeping ---

void Sessions::Impl::SweepExpired(WallTime now, EndedList& ended) {
  std::vector<std::string> sessions, agents;
  for (const SessionPtr& session : sessions_.All()) {
    if (!session->Alive(now)) sessions.push_back(session->row.id);
  }
  for (const AgentPtr& agent : agents_.All()) {
    if (now >= agent->row.expires_at) agents.push_back(agent->row.id);
  }
  if (auto done = EndSessions(sessions, EndReason::kExpired, ended); !done.ok()) {
    LogWarning("Expired sessions could not be removed: " + done.error().detail);
  }
  if (agents.empty()) return;
  if (auto done = store_->DeleteAgentTokens(agents); !done.ok()) {
    LogWarning("Expired agent tokens could not be removed: " + done.error().detail);
    return;
  }
  for (const std::string& id : agents) ForgetAgent(id, EndReason::kExpired, ended);
}

void Sessions::Impl::StoreUseTimes() {
  UseTimes seen, used;
  std::vector<std::pair<std::shared_ptr<UseTime>, WallTime>> marks;
  const auto collect = [&](UseTimes& list, const std::string& id, const std::shared_ptr<UseTime>& use) {
    const std::optional<WallTime> time = use->Unstored();
    if (!time) return;
    list.emplace_back(id, *time);
    marks.emplace_back(use, *time);
  };
  for (const SessionPtr& session : sessions_.All()) collect(seen, session->row.id, session->last_seen);
  for (const AgentPtr& agent : agents_.All()) collect(used, agent->row.id, agent->last_used);
  if (marks.empty()) return;
  if (auto done = store_->RecordUse(seen, used); !done.ok()) {
    LogWarning("Times of last use could not be stored: " + done.error().detail);
    return;
  }
  for (const auto& [use, time] : marks) use->MarkStored(time);
}

void Sessions::Impl::Sweep() {
  EndedList ended;
  {
    MutexLock lock(write_);
    SweepExpired(clock_.Now(), ended);
    StoreUseTimes();
  }
  throttle_.Prune();
  Notify(ended);
}

}  // namespace nd::session
