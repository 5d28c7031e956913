// For the tests of this room: a deck with a driven clock, a store that can be made to fail, and verbs.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "session/memory_store.h"
#include "session/sessions.h"
#include "session/store_errors.h"

namespace nd::session {

// Passes everything on to a store that outlives the Sessions object, and fails every write on command.
class SwitchedStore final : public Store {
 public:
  SwitchedStore(std::shared_ptr<Store> store, std::shared_ptr<std::atomic<bool>> broken)
      : store_(std::move(store)), broken_(std::move(broken)) {}

  Result<Contents> Load() override { return store_->Load(); }
  Result<std::string> RememberOnce(std::string_view name, std::string_view value) override {
    return store_->RememberOnce(name, value);
  }
  Result<void> AddUser(const UserRow& user) override {
    return Guard([&] { return store_->AddUser(user); });
  }
  Result<void> AddFirstUser(const UserRow& user, std::string_view hash, WallTime now) override {
    return Guard([&] { return store_->AddFirstUser(user, hash, now); });
  }
  Result<void> ReplaceUser(const UserRow& next, std::uint64_t epoch, std::string_view kept, AgentTokens agents,
                           WallTime now) override {
    return Guard([&] { return store_->ReplaceUser(next, epoch, kept, agents, now); });
  }
  Result<void> AddSession(const SessionRow& session, const std::vector<std::string>& ended) override {
    return Guard([&] { return store_->AddSession(session, ended); });
  }
  Result<void> RotateSession(const SessionRow& next) override {
    return Guard([&] { return store_->RotateSession(next); });
  }
  Result<void> DeleteSessions(const std::vector<std::string>& ids) override {
    return Guard([&] { return store_->DeleteSessions(ids); });
  }
  Result<void> AddAgentToken(const AgentTokenRow& token) override {
    return Guard([&] { return store_->AddAgentToken(token); });
  }
  Result<void> DeleteAgentTokens(const std::vector<std::string>& ids) override {
    return Guard([&] { return store_->DeleteAgentTokens(ids); });
  }
  Result<void> PutSetupToken(const SetupTokenRow& token) override {
    return Guard([&] { return store_->PutSetupToken(token); });
  }
  Result<void> RecordUse(const UseTimes& sessions, const UseTimes& agents) override {
    return Guard([&] { return store_->RecordUse(sessions, agents); });
  }

 private:
  template <class Write>
  Result<void> Guard(Write write) {
    if (broken_->load()) return StoreFailed("the test broke the store");
    return write();
  }
  std::shared_ptr<Store> store_;
  std::shared_ptr<std::atomic<bool>> broken_;
};

class TestDeck : public ::testing::Test {
 protected:
  static constexpr const char* kPassword = "four unrelated words";
  static constexpr PasswordCost kCheapest{1, 8192};  // libsodium's minimum
  using Ended = std::tuple<std::string, CallerKind, EndReason>;

  TestDeck() { Restart(); }

  static Keys SomeKeys() {
    Keys keys;
    keys.jwt.push_back({"first", Secret(std::string(32, 'j'))});
    keys.csrf = Secret(std::string(32, 'c'));
    keys.refresh = Secret(std::string(32, 'r'));
    keys.log_hash = Secret(std::string(32, 'l'));
    return keys;
  }

  // As after a restart of the process: memory is gone, the store is not.
  void Restart() {
    sessions_.reset();
    auto opened = Sessions::Open(std::make_unique<SwitchedStore>(store_, broken_), SomeKeys(), options_, kCheapest,
                                 clock_, random_);
    ASSERT_TRUE(opened.ok()) << opened.error().public_text << opened.error().detail;
    sessions_ = *std::move(opened);
    sessions_->SetEndListener([this](const std::string& id, CallerKind kind, EndReason reason) {
      MutexLock lock(ended_mutex_);
      ended_.emplace_back(id, kind, reason);
    });
  }

  void AddUser(std::string_view name, Role role = Role::kOperator) {
    const auto added = sessions_->AddUser(name, role, kPassword);
    ASSERT_TRUE(added.ok()) << added.error().public_text << added.error().detail;
  }
  Grant SignIn(std::string_view name, std::string_view password = kPassword) {
    auto grant = sessions_->SignIn(name, password, client_);
    if (!grant.ok()) {
      ADD_FAILURE() << grant.error().public_text << grant.error().detail;
      return {};
    }
    return *std::move(grant);
  }
  Result<RefreshOutcome> Refresh(const Grant& grant, CallerPtr* reuse = nullptr) {
    return sessions_->Refresh(grant.refresh_token, grant.csrf_token, grant.csrf_token, client_, reuse);
  }
  std::vector<Ended> TakeEnded() {
    MutexLock lock(ended_mutex_);
    return std::exchange(ended_, {});
  }
  // "ok", or the code of the refusal.
  template <class T>
  static std::string Answer(const Result<T>& result) {
    return result.ok() ? "ok" : std::string(result.error().code);
  }
  std::string Verify(std::string_view token) { return Answer(sessions_->Verify(token)); }

  ManualClock clock_{WallTime(std::chrono::seconds(1'800'000'000))};
  SystemRandom random_;
  Options options_{.deck_id = "test-deck"};
  Client client_{"192.0.2.1", "tests"};
  std::shared_ptr<Store> store_ = std::make_shared<MemoryStore>();
  std::shared_ptr<std::atomic<bool>> broken_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Sessions> sessions_;

 private:
  Mutex ended_mutex_;
  std::vector<Ended> ended_ ND_GUARDED_BY(ended_mutex_);
};

}  // namespace nd::session
