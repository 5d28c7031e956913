// Agent tokens.
#include "session/test_deck.h"
#include "session/tokens.h"

namespace nd::session {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

class AgentTokens : public TestDeck {
 protected:
  AgentTokens() { AddUser("alice", Role::kOperator); }

  static std::vector<Scope> Scopes(std::initializer_list<std::string_view> texts) {
    std::vector<Scope> scopes;
    for (const std::string_view text : texts) scopes.push_back(*Scope::Parse(text));
    return scopes;
  }
  NewAgentToken Create(std::string_view user = "alice", seconds lifetime = hours(1)) {
    auto made = sessions_->CreateAgentToken(user, "ci", Scopes({"model:gpt-*", "read:docs/*"}), lifetime);
    EXPECT_TRUE(made.ok()) << made.error().public_text;
    return made.ok() ? *std::move(made) : NewAgentToken{};
  }
};

TEST_F(AgentTokens, SpeakForTheirUserWithinTheirScopes) {
  const NewAgentToken made = Create(" Alice ");
  const auto caller = sessions_->Verify(made.token);
  ASSERT_TRUE(caller.ok());
  EXPECT_TRUE((*caller)->is_agent());
  EXPECT_EQ((*caller)->user(), "alice");
  EXPECT_EQ((*caller)->role(), Role::kOperator);
  EXPECT_EQ((*caller)->id(), made.info.id);
  EXPECT_EQ((*caller)->session_hash(), sessions_->LogHash(made.info.id));
  EXPECT_EQ((*caller)->deadline(), clock_.Now() + hours(1));
  EXPECT_TRUE((*caller)->Allows(Scope::Kind::kModel, "gpt-4"));
  EXPECT_TRUE((*caller)->Allows(Scope::Kind::kRead, "docs/a.md"));
  EXPECT_FALSE((*caller)->Allows(Scope::Kind::kModel, "claude"));
  EXPECT_FALSE((*caller)->Allows(Scope::Kind::kWrite, "docs/a.md"));
  EXPECT_FALSE((*caller)->Allows(Scope::Kind::kMcp, ""));
}

TEST_F(AgentTokens, HaveNoCsrfTokenNoSessionAndNoPassword) {
  const auto caller = *sessions_->Verify(Create().token);
  EXPECT_EQ(Answer(sessions_->CheckCsrf(*caller, "x", "x")), "csrf_invalid");
  EXPECT_EQ(Answer(sessions_->IssueCsrf(*caller)), "forbidden");
  EXPECT_EQ(Answer(sessions_->Logout(*caller)), "forbidden");
  EXPECT_EQ(Answer(sessions_->ChangePassword(*caller, kPassword, "another four unrelated words", client_)),
            "forbidden");
}

TEST_F(AgentTokens, OfEveryOtherTextAreRefused) {
  const NewAgentToken made = Create();
  for (std::size_t i = 0; i < made.token.size(); ++i) {
    std::string forged = made.token;
    forged[i] = forged[i] == '0' ? '4' : '0';
    EXPECT_EQ(Verify(forged), "unauthenticated") << i;
  }
  EXPECT_EQ(Verify(made.token + "A"), "unauthenticated");
  EXPECT_EQ(Verify(made.token.substr(0, made.token.size() - 1)), "unauthenticated");
  const NewAgentToken other = Create();
  EXPECT_EQ(Verify(FormatAgentToken(made.info.id, ParseAgentToken(other.token)->secret)), "unauthenticated");
  EXPECT_EQ(Verify(made.token), "ok");
}

TEST_F(AgentTokens, ExpireToTheMicrosecond) {
  const NewAgentToken made = Create("alice", seconds(1));
  clock_.Advance(seconds(1) - microseconds(1));
  EXPECT_EQ(Verify(made.token), "ok");
  clock_.Advance(microseconds(1));
  EXPECT_EQ(Verify(made.token), "unauthenticated");
  sessions_->Sweep();
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{made.info.id, CallerKind::kAgent, EndReason::kExpired}}));
  EXPECT_TRUE(sessions_->ListAgentTokens("").empty());
}

TEST_F(AgentTokens, HaveTheirLimits) {
  const auto create = [&](std::size_t name, std::size_t scopes, seconds lifetime) {
    return Answer(sessions_->CreateAgentToken("alice", std::string(name, 'n'),
                                              std::vector<Scope>(scopes, *Scope::Parse("mcp")), lifetime));
  };
  const seconds year = std::chrono::days(366);
  EXPECT_EQ(create(0, 1, hours(1)), "invalid_request");
  EXPECT_EQ(create(1, 1, hours(1)), "ok");
  EXPECT_EQ(create(63, 1, hours(1)), "ok");
  EXPECT_EQ(create(64, 1, hours(1)), "ok");
  EXPECT_EQ(create(65, 1, hours(1)), "invalid_request");
  EXPECT_EQ(create(1, 0, hours(1)), "invalid_request");
  EXPECT_EQ(create(1, 63, hours(1)), "ok");
  EXPECT_EQ(create(1, 64, hours(1)), "ok");
  EXPECT_EQ(create(1, 65, hours(1)), "invalid_request");
  EXPECT_EQ(create(1, 1, seconds(0)), "invalid_request");
  EXPECT_EQ(create(1, 1, seconds(-1)), "invalid_request");
  EXPECT_EQ(create(1, 1, seconds(1)), "ok");
  EXPECT_EQ(create(1, 1, year), "ok");
  EXPECT_EQ(create(1, 1, year + seconds(1)), "invalid_request");
  EXPECT_EQ(create(1, 1, seconds::max()), "invalid_request");
}

TEST_F(AgentTokens, RefuseNamesAndScopesThatAreNotText) {
  const auto create = [&](std::string_view name, std::vector<Scope> scopes) {
    return Answer(sessions_->CreateAgentToken("alice", name, std::move(scopes), hours(1)));
  };
  EXPECT_EQ(create("a\nb", Scopes({"mcp"})), "invalid_request");
  EXPECT_EQ(create("a\xff", Scopes({"mcp"})), "invalid_request");
  EXPECT_EQ(create("ci", {Scope{Scope::Kind::kRead, ""}}), "invalid_request");
  EXPECT_EQ(create("ci", {Scope{Scope::Kind::kRead, "a\nmcp"}}), "invalid_request");
  EXPECT_EQ(Answer(sessions_->CreateAgentToken("nobody", "ci", Scopes({"mcp"}), hours(1))), "not_found");
}

TEST_F(AgentTokens, AreRevokedByTheirOwnerOrAnAdministrator) {
  AddUser("bob");
  const NewAgentToken one = Create();
  const NewAgentToken two = Create();
  EXPECT_EQ(Answer(sessions_->RevokeAgentToken(one.info.id, "bob")), "not_found");
  EXPECT_EQ(Verify(one.token), "ok");
  EXPECT_EQ(Answer(sessions_->RevokeAgentToken(one.info.id, "alice")), "ok");
  EXPECT_EQ(Verify(one.token), "unauthenticated");
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{one.info.id, CallerKind::kAgent, EndReason::kTokenRevoked}}));
  EXPECT_EQ(Answer(sessions_->RevokeAgentToken(one.info.id, "")), "not_found");
  EXPECT_EQ(Answer(sessions_->RevokeAgentToken(two.info.id, "")), "ok");
  Restart();
  EXPECT_EQ(Verify(two.token), "unauthenticated");
}

TEST_F(AgentTokens, AreListedPerUserNewestFirstWithTheirLastUse) {
  AddUser("bob");
  const NewAgentToken first = Create();
  clock_.Advance(seconds(1));
  const NewAgentToken second = Create();
  Create("bob");
  const auto mine = sessions_->ListAgentTokens("alice");
  ASSERT_EQ(mine.size(), 2U);
  EXPECT_EQ(mine[0].id, second.info.id);
  EXPECT_EQ(mine[1].id, first.info.id);
  EXPECT_EQ(mine[1].name, "ci");
  EXPECT_FALSE(mine[1].last_used_at);
  EXPECT_EQ(sessions_->ListAgentTokens("").size(), 3U);
  EXPECT_EQ(Verify(first.token), "ok");
  EXPECT_EQ(sessions_->ListAgentTokens("alice")[1].last_used_at, clock_.Now());
  sessions_->Sweep();
  Restart();
  EXPECT_EQ(sessions_->ListAgentTokens("alice")[1].last_used_at, clock_.Now());
}

TEST_F(AgentTokens, SurviveARestartAndAPasswordChange) {
  const NewAgentToken made = Create();
  Restart();
  EXPECT_EQ(Verify(made.token), "ok");
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.password = "another four unrelated words"}).ok());
  EXPECT_EQ(Verify(made.token), "ok");
}

TEST_F(AgentTokens, FollowTheirUsersRoleAndReconnectForIt) {
  const NewAgentToken made = Create();
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.role = Role::kViewer}).ok());
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{made.info.id, CallerKind::kAgent, EndReason::kRoleChange}}));
  EXPECT_EQ((*sessions_->Verify(made.token))->role(), Role::kViewer);
}

TEST_F(AgentTokens, AreStoredAsHashesOnly) {
  const NewAgentToken made = Create();
  const AgentTokenRow row = store_->Load()->agent_tokens.at(0);
  EXPECT_EQ(row.secret_hash.size(), 32U);
  EXPECT_NE(row.secret_hash, ParseAgentToken(made.token)->secret);
}

TEST_F(AgentTokens, AFailedWriteMakesAndRevokesNothing) {
  const NewAgentToken made = Create();
  broken_->store(true);
  EXPECT_EQ(Answer(sessions_->CreateAgentToken("alice", "ci", Scopes({"mcp"}), hours(1))), "unavailable");
  EXPECT_EQ(Answer(sessions_->RevokeAgentToken(made.info.id, "")), "unavailable");
  broken_->store(false);
  EXPECT_EQ(Verify(made.token), "ok");
  EXPECT_EQ(sessions_->ListAgentTokens("").size(), 1U);
}

}  // namespace
}  // namespace nd::session
