// What every store promises, held against each of them.
#include "session/store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "session/memory_store.h"
#include "session/sqlite_store.h"

namespace nd::session {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds(1'800'000'000)};
const std::string kHash(32, 'h');

UserRow User(std::string id, Role role = Role::kOperator) {
  return {std::move(id), "$argon2id$...", role, false, 1, kNow};
}

SessionRow Session(std::string id, std::string user) {
  SessionRow row;
  row.id = std::move(id);
  row.user = std::move(user);
  row.user_epoch = 1;
  row.created_at = row.authenticated_at = row.last_seen_at = row.rotated_at = kNow;
  row.ends_at = kNow + seconds(100);
  row.address = "192.0.2.1";
  row.user_agent = "agent \xc3\xa9";
  row.refresh_hash = kHash;
  return row;
}

AgentTokenRow Agent(std::string id, std::string user) {
  AgentTokenRow row;
  row.id = std::move(id);
  row.user = std::move(user);
  row.name = "ci";
  row.scopes = {*Scope::Parse("model:*"), *Scope::Parse("mcp")};
  row.secret_hash = std::string(32, '\0');
  row.created_at = kNow;
  row.expires_at = kNow + seconds(100);
  return row;
}

class EveryStore : public ::testing::TestWithParam<std::string> {
 protected:
  EveryStore() {
    if (GetParam() == "Memory") {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "nd-store-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    auto store = OpenSqliteStore(directory_ + "/deck.db");
    EXPECT_TRUE(store.ok());
    store_ = *std::move(store);
  }
  ~EveryStore() override {
    store_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  Store::Contents Load() { return *store_->Load(); }
  void Add(const UserRow& user) { ASSERT_TRUE(store_->AddUser(user).ok()); }
  void Add(const SessionRow& session) { ASSERT_TRUE(store_->AddSession(session, {}).ok()); }
  void Add(const AgentTokenRow& token) { ASSERT_TRUE(store_->AddAgentToken(token).ok()); }
  static ErrorKind Kind(const Result<void>& result) { return result.ok() ? ErrorKind::kInternal : result.error().kind; }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

TEST_P(EveryStore, GivesBackWhatItWasGiven) {
  Add(User("alice", Role::kAdmin));
  Add(Session("s1", "alice"));
  Add(Agent("a1", "alice"));
  const auto contents = Load();
  ASSERT_EQ(contents.users.size(), 1U);
  EXPECT_EQ(contents.users[0], User("alice", Role::kAdmin));
  ASSERT_EQ(contents.sessions.size(), 1U);
  EXPECT_EQ(contents.sessions[0], Session("s1", "alice"));
  ASSERT_EQ(contents.agent_tokens.size(), 1U);
  const AgentTokenRow& token = contents.agent_tokens[0];
  EXPECT_EQ(token.id, "a1");
  EXPECT_EQ(token.name, "ci");
  ASSERT_EQ(token.scopes.size(), 2U);
  EXPECT_EQ(token.scopes[0].Text(), "model:*");
  EXPECT_EQ(token.scopes[1].Text(), "mcp");
  EXPECT_EQ(token.secret_hash, std::string(32, '\0'));
  EXPECT_EQ(token.expires_at, kNow + seconds(100));
  EXPECT_FALSE(token.last_used_at);
  EXPECT_FALSE(contents.setup_token);
}

TEST_P(EveryStore, RemembersTheFirstValueOfAName) {
  EXPECT_EQ(*store_->RememberOnce("deck_id", "one"), "one");
  EXPECT_EQ(*store_->RememberOnce("deck_id", "two"), "one");
  EXPECT_EQ(*store_->RememberOnce("other", "two"), "two");
}

TEST_P(EveryStore, TakesANameOnce) {
  Add(User("alice"));
  EXPECT_EQ(Kind(store_->AddUser(User("alice", Role::kAdmin))), ErrorKind::kConflict);
  EXPECT_EQ(Load().users[0].role, Role::kOperator);
}

TEST_P(EveryStore, UsesASetupTokenUpWithTheFirstUser) {
  ASSERT_TRUE(store_->PutSetupToken({std::string(32, 'o'), kNow + seconds(1)}).ok());
  ASSERT_TRUE(store_->PutSetupToken({kHash, kNow + seconds(1)}).ok());  // the earlier one is dead
  const UserRow admin = User("admin", Role::kAdmin);
  EXPECT_EQ(Kind(store_->AddFirstUser(admin, std::string(32, 'o'), kNow)), ErrorKind::kUnauthenticated);
  EXPECT_EQ(Kind(store_->AddFirstUser(admin, kHash, kNow + seconds(1))), ErrorKind::kUnauthenticated);
  EXPECT_TRUE(Load().users.empty());
  EXPECT_TRUE(Load().setup_token);
  EXPECT_TRUE(store_->AddFirstUser(admin, kHash, kNow + seconds(1) - std::chrono::microseconds(1)).ok());
  EXPECT_FALSE(Load().setup_token);
  EXPECT_EQ(Kind(store_->AddFirstUser(User("eve"), kHash, kNow)), ErrorKind::kConflict);
  EXPECT_EQ(Kind(store_->PutSetupToken({kHash, kNow})), ErrorKind::kConflict);
}

TEST_P(EveryStore, ForgetsTheSetupTokenWhenAUserIsAdded) {
  ASSERT_TRUE(store_->PutSetupToken({kHash, kNow + seconds(1)}).ok());
  Add(User("alice"));
  EXPECT_FALSE(Load().setup_token);
}

TEST_P(EveryStore, ReplacesAUserOnlyFromTheExpectedEpoch) {
  Add(User("alice"));
  UserRow next = User("alice", Role::kViewer);
  next.epoch = 2;
  next.password_hash = "other";
  EXPECT_EQ(Kind(store_->ReplaceUser(next, 7, "", Store::AgentTokens::kKeep, kNow)), ErrorKind::kConflict);
  EXPECT_EQ(Load().users[0], User("alice"));
  ASSERT_TRUE(store_->ReplaceUser(next, 1, "", Store::AgentTokens::kKeep, kNow).ok());
  EXPECT_EQ(Load().users[0], next);
  next.id = "nobody";
  EXPECT_EQ(Kind(store_->ReplaceUser(next, 2, "", Store::AgentTokens::kKeep, kNow)), ErrorKind::kNotFound);
}

TEST_P(EveryStore, ANewEpochEndsTheUsersSessionsButTheKeptOne) {
  Add(User("alice"));
  Add(User("bob"));
  for (const char* id : {"s1", "s2", "s3"}) Add(Session(id, "alice"));
  Add(Session("b1", "bob"));
  UserRow next = User("alice");
  next.epoch = 2;
  const WallTime later = kNow + seconds(5);
  ASSERT_TRUE(store_->ReplaceUser(next, 1, "s2", Store::AgentTokens::kKeep, later).ok());
  const auto sessions = Load().sessions;
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions[0], Session("b1", "bob"));
  EXPECT_EQ(sessions[1].id, "s2");
  EXPECT_EQ(sessions[1].user_epoch, 2U);
  EXPECT_EQ(sessions[1].authenticated_at, later);
  EXPECT_EQ(sessions[1].ends_at, kNow + seconds(100));
}

TEST_P(EveryStore, TheSameEpochLeavesSessionsAlone) {
  Add(User("alice"));
  Add(Session("s1", "alice"));
  UserRow next = User("alice");
  next.password_hash = "rehashed";
  ASSERT_TRUE(store_->ReplaceUser(next, 1, "", Store::AgentTokens::kKeep, kNow + seconds(5)).ok());
  EXPECT_EQ(Load().sessions[0], Session("s1", "alice"));
}

TEST_P(EveryStore, NeverLosesItsLastActiveAdmin) {
  Add(User("root", Role::kAdmin));
  Add(User("second", Role::kAdmin));
  UserRow second = User("second", Role::kAdmin);
  second.disabled = true;
  second.epoch = 2;
  ASSERT_TRUE(store_->ReplaceUser(second, 1, "", Store::AgentTokens::kKeep, kNow).ok());
  UserRow root = User("root", Role::kOperator);
  root.epoch = 2;
  EXPECT_EQ(Kind(store_->ReplaceUser(root, 1, "", Store::AgentTokens::kKeep, kNow)), ErrorKind::kConflict);
  root.role = Role::kAdmin;
  root.disabled = true;
  EXPECT_EQ(Kind(store_->ReplaceUser(root, 1, "", Store::AgentTokens::kKeep, kNow)), ErrorKind::kConflict);
  EXPECT_EQ(Load().users[0], User("root", Role::kAdmin));
}

TEST_P(EveryStore, DeletesAgentTokensWithTheirUser) {
  Add(User("alice"));
  Add(User("bob"));
  Add(Agent("a1", "alice"));
  Add(Agent("b1", "bob"));
  UserRow next = User("alice");
  next.disabled = true;
  next.epoch = 2;
  ASSERT_TRUE(store_->ReplaceUser(next, 1, "", Store::AgentTokens::kDelete, kNow).ok());
  ASSERT_EQ(Load().agent_tokens.size(), 1U);
  EXPECT_EQ(Load().agent_tokens[0].id, "b1");
  EXPECT_EQ(Kind(store_->AddAgentToken(Agent("a2", "alice"))), ErrorKind::kConflict);
  ASSERT_TRUE(store_->DeleteAgentTokens({"b1", "gone"}).ok());
  EXPECT_TRUE(Load().agent_tokens.empty());
}

TEST_P(EveryStore, StartsSessionsOnlyForAUserWhoIsAsTheyWere) {
  UserRow user = User("alice");
  user.epoch = 2;
  Add(user);
  EXPECT_EQ(Kind(store_->AddSession(Session("s1", "alice"), {})), ErrorKind::kConflict);
  EXPECT_EQ(Kind(store_->AddSession(Session("s1", "nobody"), {})), ErrorKind::kConflict);
  user.id = "bob";
  user.epoch = 1;
  user.disabled = true;
  Add(user);
  EXPECT_EQ(Kind(store_->AddSession(Session("s1", "bob"), {})), ErrorKind::kConflict);
  EXPECT_TRUE(Load().sessions.empty());
}

TEST_P(EveryStore, StartsASessionAndEndsOthersInOneAct) {
  Add(User("alice"));
  Add(Session("s1", "alice"));
  Add(Session("s2", "alice"));
  ASSERT_TRUE(store_->AddSession(Session("s3", "alice"), {"s1"}).ok());
  ASSERT_EQ(Load().sessions.size(), 2U);
  // A refused one ends nothing.
  EXPECT_EQ(Kind(store_->AddSession(Session("s3", "alice"), {"s2"})), ErrorKind::kConflict);
  EXPECT_EQ(Load().sessions.size(), 2U);
}

TEST_P(EveryStore, RotatesByCompareAndSwap) {
  Add(User("alice"));
  Add(Session("s1", "alice"));
  SessionRow next = Session("s1", "alice");
  next.generation = 2;
  next.refresh_hash = std::string(32, 'n');
  next.rotated_at = next.last_seen_at = kNow + seconds(3);
  next.address = "192.0.2.9";
  ASSERT_TRUE(store_->RotateSession(next).ok());
  EXPECT_EQ(Load().sessions[0], next);
  EXPECT_EQ(Kind(store_->RotateSession(next)), ErrorKind::kConflict);
  SessionRow moved = next;
  moved.generation = 3;
  moved.ends_at += seconds(1000);
  moved.created_at += seconds(1000);
  ASSERT_TRUE(store_->RotateSession(moved).ok());
  EXPECT_EQ(Load().sessions[0].ends_at, next.ends_at);  // the absolute end never moves
  EXPECT_EQ(Load().sessions[0].created_at, next.created_at);
  ASSERT_TRUE(store_->DeleteSessions({"s1", "gone"}).ok());
  next.generation = 4;
  EXPECT_EQ(Kind(store_->RotateSession(next)), ErrorKind::kNotFound);
}

TEST_P(EveryStore, RecordsUse) {
  Add(User("alice"));
  Add(Session("s1", "alice"));
  Add(Agent("a1", "alice"));
  const WallTime later = kNow + seconds(9);
  ASSERT_TRUE(store_->RecordUse({{"s1", later}, {"gone", later}}, {{"a1", later}, {"gone", later}}).ok());
  EXPECT_EQ(Load().sessions[0].last_seen_at, later);
  EXPECT_EQ(Load().agent_tokens[0].last_used_at, later);
}

TEST_P(EveryStore, KeepsTextOfAnyBytesAsItIs) {
  UserRow user = User("alice");
  user.password_hash = "'; DROP TABLE users; --";
  Add(user);
  SessionRow session = Session("s1", "alice");
  session.user_agent = "\" ' ; \\ % _ ?1";
  session.address = "";
  Add(session);
  EXPECT_EQ(Load().users[0].password_hash, user.password_hash);
  EXPECT_EQ(Load().sessions[0], session);
}

INSTANTIATE_TEST_SUITE_P(Session, EveryStore, ::testing::Values("Memory", "Sqlite"),
                         [](const auto& store) { return store.param; });

}  // namespace
}  // namespace nd::session
