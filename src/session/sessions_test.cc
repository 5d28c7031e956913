// Opening, listing, ending and sweeping sessions; and the whole room on its real store.
#include "session/sessions.h"

#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "session/sqlite_store.h"
#include "session/test_deck.h"

namespace nd::session {
namespace {

using std::chrono::seconds;

class SessionTable : public TestDeck {
 protected:
  SessionTable() {
    AddUser("alice");
    AddUser("bob");
  }
  Result<std::unique_ptr<Sessions>> Open(Options options, Keys keys = SomeKeys()) {
    return Sessions::Open(std::make_unique<MemoryStore>(), std::move(keys), std::move(options), kCheapest, clock_,
                          random_);
  }
};

TEST_F(SessionTable, ListsNewestFirst) {
  const Grant first = SignIn("alice");
  clock_.Advance(seconds(1));
  const Grant second = SignIn("alice");
  SignIn("bob");
  const auto list = sessions_->ListSessions("alice");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, second.caller->id());
  EXPECT_EQ(list[1].id, first.caller->id());
  EXPECT_EQ(list[1].user, "alice");
  EXPECT_EQ(list[1].address, "192.0.2.1");
  EXPECT_EQ(list[1].user_agent, "tests");
  EXPECT_EQ(list[1].ends_at, list[1].created_at + std::chrono::days(7));
  EXPECT_EQ(sessions_->ListAllSessions().size(), 3U);
}

TEST_F(SessionTable, OnlyItsOwnerEndsASessionUnlessNobodyIsNamed) {
  const Grant grant = SignIn("alice");
  EXPECT_EQ(Answer(sessions_->EndSession(grant.caller->id(), "bob", EndReason::kEndedByUser)), "not_found");
  EXPECT_EQ(Answer(sessions_->EndSession("no-such-id", "", EndReason::kEndedByUser)), "not_found");
  EXPECT_EQ(Verify(grant.access_token), "ok");
  EXPECT_EQ(Answer(sessions_->EndSession(grant.caller->id(), "alice", EndReason::kEndedByUser)), "ok");
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  const Grant second = SignIn("alice");
  EXPECT_EQ(Answer(sessions_->EndSession(second.caller->id(), "", EndReason::kEndedByUser)), "ok");
}

TEST_F(SessionTable, EndsAllOfAUserButOne) {
  const Grant kept = SignIn("alice");
  SignIn("alice");
  SignIn("alice");
  const Grant bob = SignIn("bob");
  EXPECT_EQ(*sessions_->EndAllSessions("Alice", kept.caller->id(), EndReason::kEndedByUser), 2U);
  EXPECT_EQ(Verify(kept.access_token), "ok");
  EXPECT_EQ(*sessions_->EndAllSessions("alice", "", EndReason::kEndedByUser), 1U);
  EXPECT_EQ(*sessions_->EndAllSessions("alice", "", EndReason::kEndedByUser), 0U);
  EXPECT_EQ(Verify(bob.access_token), "ok");
}

TEST_F(SessionTable, SweepsWhatHasExpired) {
  const Grant old = SignIn("alice");
  clock_.Advance(std::chrono::days(3));
  const Grant young = SignIn("alice");
  clock_.Advance(std::chrono::days(4) - std::chrono::microseconds(1));
  sessions_->Sweep();
  EXPECT_TRUE(TakeEnded().empty());
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(sessions_->ListSessions("alice").size(), 1U);
  sessions_->Sweep();
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{old.caller->id(), CallerKind::kUser, EndReason::kExpired}}));
  EXPECT_EQ(store_->Load()->sessions.size(), 1U);
  EXPECT_EQ(Answer(Refresh(young)), "ok");
}

TEST_F(SessionTable, ASweepThatCannotWriteComesAgain) {
  SignIn("alice");
  clock_.Advance(std::chrono::days(7));
  broken_->store(true);
  sessions_->Sweep();
  EXPECT_TRUE(TakeEnded().empty());
  broken_->store(false);
  sessions_->Sweep();
  EXPECT_EQ(TakeEnded().size(), 1U);
}

TEST_F(SessionTable, KeepsTheTimeOfLastUseAcrossARestart) {
  const Grant grant = SignIn("alice");
  clock_.Advance(seconds(30));
  EXPECT_EQ(Verify(grant.access_token), "ok");
  EXPECT_EQ(sessions_->ListSessions("alice")[0].last_seen_at, clock_.Now());
  sessions_->Sweep();
  Restart();
  EXPECT_EQ(sessions_->ListSessions("alice")[0].last_seen_at, clock_.Now());
}

TEST_F(SessionTable, TheListenerMayCallBack) {
  const Grant one = SignIn("alice");
  const Grant two = SignIn("alice");
  std::size_t left = 0;
  sessions_->SetEndListener([&](const std::string&, CallerKind, EndReason) {
    left = sessions_->ListSessions("alice").size();
    sessions_->EndSession(two.caller->id(), "", EndReason::kEndedByUser).ok();
  });
  ASSERT_TRUE(sessions_->Logout(*one.caller).ok());
  EXPECT_EQ(left, 0U);
}

TEST_F(SessionTable, OptionsHaveTheirLimits) {
  const auto with = [&](auto change) {
    Options options{.deck_id = "d"};
    change(options);
    return Open(options).ok();
  };
  for (const auto& [value, good] :
       {std::pair{0, false}, {1, true}, {2, true}, {604'799, true}, {604'800, true}, {604'801, false}}) {
    EXPECT_EQ(with([&](Options& o) { o.access_lifetime = seconds(value); }), good) << value;
  }
  EXPECT_FALSE(with([](Options& o) { o.session_lifetime = seconds(0); }));
  EXPECT_TRUE(with([](Options& o) { o.refresh_grace = seconds(0); }));
  EXPECT_FALSE(with([](Options& o) { o.refresh_grace = seconds(-1); }));
  EXPECT_TRUE(with([](Options& o) { o.refresh_grace = seconds(60); }));
  EXPECT_FALSE(with([](Options& o) { o.refresh_grace = seconds(61); }));
  EXPECT_FALSE(with([](Options& o) { o.max_sessions_per_user = 0; }));
  EXPECT_FALSE(with([](Options& o) { o.deck_id = ""; }));
  EXPECT_FALSE(with([](Options& o) { o.deck_id = "a b"; }));
  EXPECT_TRUE(with([](Options& o) { o.deck_id = std::string(64, 'd'); }));
  EXPECT_FALSE(with([](Options& o) { o.deck_id = std::string(65, 'd'); }));
}

TEST_F(SessionTable, RefusesShortOrMissingKeys) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}}) {
    for (Secret Keys::* key : {&Keys::csrf, &Keys::refresh, &Keys::log_hash}) {
      Keys keys = SomeKeys();
      keys.*key = Secret(std::string(size, 'x'));
      EXPECT_FALSE(Open({.deck_id = "d"}, std::move(keys)).ok());
    }
  }
  Keys keys = SomeKeys();
  keys.jwt.clear();
  EXPECT_FALSE(Open({.deck_id = "d"}, std::move(keys)).ok());
}

TEST_F(SessionTable, RefusesTheStoreOfAnotherDeck) {
  auto opened = Sessions::Open(std::make_unique<SwitchedStore>(store_, broken_), SomeKeys(), {.deck_id = "other"},
                               kCheapest, clock_, random_);
  EXPECT_EQ(Answer(opened), "conflict");
}

TEST_F(SessionTable, NamesEveryReason) {
  EXPECT_EQ(EndReasonName(EndReason::kLogout), "logout");
  EXPECT_EQ(EndReasonName(EndReason::kEndedByUser), "ended_by_user");
  EXPECT_EQ(EndReasonName(EndReason::kRefreshReuse), "refresh_reuse");
  EXPECT_EQ(EndReasonName(EndReason::kTokenRevoked), "token_revoked");
}

// Everything at once from many threads: what must hold is said by the sanitizers and by the end.
TEST_F(SessionTable, ManyThreadsMayDoEverything) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::string user = t % 2 == 0 ? "alice" : "bob";
      for (int i = 0; i < 12; ++i) {
        auto grant = sessions_->SignIn(user, kPassword, client_);
        if (!grant.ok()) continue;  // a change of the user came between
        sessions_->Verify(grant->access_token).ok();
        sessions_->CheckCsrf(*grant->caller, grant->csrf_token, grant->csrf_token).ok();
        auto refreshed = Refresh(*grant);
        if (refreshed.ok() && t == 0 && i % 4 == 0) {
          sessions_->UpdateUser("alice", {.role = i % 8 == 0 ? Role::kViewer : Role::kOperator}).ok();
        }
        sessions_->ListAllSessions();
        sessions_->Sweep();
        sessions_->Logout(*grant->caller).ok();
        if (sessions_->Verify(grant->access_token).ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
  EXPECT_TRUE(sessions_->ListAllSessions().empty());
  EXPECT_TRUE(store_->Load()->sessions.empty());
}

// The whole life of a deck on SQLite, opened anew between all steps.
TEST(SessionsOnSqlite, LiveThroughRestarts) {
  std::string pattern = (std::filesystem::temp_directory_path() / "nd-sessions-XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  ManualClock clock{WallTime(seconds(1'800'000'000))};
  SystemRandom random;
  const Client client{"2001:db8::1", "tests"};
  const auto open = [&] {
    Keys keys;
    keys.jwt.push_back({"k", Secret(std::string(32, 'j'))});
    keys.csrf = Secret(std::string(32, 'c'));
    keys.refresh = Secret(std::string(32, 'r'));
    keys.log_hash = Secret(std::string(32, 'l'));
    auto store = OpenSqliteStore(directory + "/deck.db");
    EXPECT_TRUE(store.ok());
    auto sessions = Sessions::Open(*std::move(store), std::move(keys), {.deck_id = "d"}, {1, 8192}, clock, random);
    EXPECT_TRUE(sessions.ok());
    return *std::move(sessions);
  };
  const std::string setup = *open()->IssueSetupToken();
  ASSERT_TRUE(open()->Setup(setup, "root", "four unrelated words").ok());
  const auto grant = open()->SignIn("root", "four unrelated words", client);
  ASSERT_TRUE(grant.ok());
  const auto agent = open()->CreateAgentToken("root", "ci", {*Scope::Parse("model:*")}, std::chrono::hours(1));
  ASSERT_TRUE(agent.ok());
  const auto next = open()->Refresh(grant->refresh_token, grant->csrf_token, grant->csrf_token, client);
  ASSERT_TRUE(next.ok());
  auto sessions = open();
  EXPECT_TRUE(sessions->Verify(agent->token).ok());
  EXPECT_TRUE(sessions->Verify(next->grant.access_token).ok());
  EXPECT_TRUE(sessions->CheckCsrf(*next->grant.caller, next->grant.csrf_token, grant->csrf_token).ok());
  clock.Advance(seconds(11));
  EXPECT_FALSE(sessions->Refresh(grant->refresh_token, grant->csrf_token, grant->csrf_token, client).ok());
  sessions.reset();
  EXPECT_FALSE(open()->Verify(next->grant.access_token).ok());
  EXPECT_TRUE(open()->Verify(agent->token).ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace nd::session
