// Administration of users, and the sessions that end with it.
#include "session/test_deck.h"

namespace nd::session {
namespace {

class Users : public TestDeck {
 protected:
  Users() { AddUser("root", Role::kAdmin); }
  std::vector<Scope> AnyModel() { return {*Scope::Parse("model:*")}; }
};

TEST_F(Users, AreListedByName) {
  AddUser("bob", Role::kViewer);
  AddUser("Alice", Role::kAuditor);
  const auto users = sessions_->ListUsers();
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(users[0].id, "alice");
  EXPECT_EQ(users[0].role, Role::kAuditor);
  EXPECT_EQ(users[0].created_at, clock_.Now());
  EXPECT_EQ(users[1].id, "bob");
}

TEST_F(Users, TakeANameOnceInAnySpelling) {
  EXPECT_EQ(Answer(sessions_->AddUser(" ROOT", Role::kViewer, kPassword)), "conflict");
  EXPECT_EQ(Answer(sessions_->AddUser("a/b", Role::kViewer, kPassword)), "invalid_request");
  EXPECT_EQ(Answer(sessions_->AddUser("alice", Role::kViewer, "short")), "invalid_request");
  EXPECT_EQ(sessions_->ListUsers().size(), 1U);
}

TEST_F(Users, ARoleChangeEndsTheirSessionsAtOnce) {
  AddUser("alice", Role::kOperator);
  const Grant grant = SignIn("alice");
  const auto changed = sessions_->UpdateUser("ALICE", {.role = Role::kViewer});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->role, Role::kViewer);
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(Answer(Refresh(grant)), "session_ended");
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{grant.caller->id(), CallerKind::kUser, EndReason::kRoleChange}}));
  EXPECT_EQ(SignIn("alice").caller->role(), Role::kViewer);
}

TEST_F(Users, DisablingEndsSessionsAndAgentsAndNothingComesBack) {
  AddUser("alice");
  const Grant grant = SignIn("alice");
  const auto agent = sessions_->CreateAgentToken("alice", "ci", AnyModel(), std::chrono::hours(1));
  ASSERT_TRUE(agent.ok());
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.disabled = true}).ok());
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(Verify(agent->token), "unauthenticated");
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{grant.caller->id(), CallerKind::kUser, EndReason::kUserDisabled},
                                      Ended{agent->info.id, CallerKind::kAgent, EndReason::kUserDisabled}}));
  EXPECT_EQ(Answer(sessions_->SignIn("alice", kPassword, client_)), "unauthenticated");
  EXPECT_EQ(Answer(sessions_->CreateAgentToken("alice", "ci", AnyModel(), std::chrono::hours(1))), "conflict");
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.disabled = false}).ok());
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(Verify(agent->token), "unauthenticated");
  Restart();
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(Verify(agent->token), "unauthenticated");
  SignIn("alice");
}

TEST_F(Users, APasswordSetByAnAdministratorEndsTheirSessions) {
  AddUser("alice");
  const Grant grant = SignIn("alice");
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.password = "four other unrelated words"}).ok());
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{grant.caller->id(), CallerKind::kUser, EndReason::kPasswordChange}}));
  EXPECT_EQ(Answer(sessions_->SignIn("alice", kPassword, client_)), "unauthenticated");
  SignIn("alice", "four other unrelated words");
  EXPECT_EQ(Answer(sessions_->UpdateUser("alice", {.password = "short"})), "invalid_request");
}

TEST_F(Users, AChangeToWhatIsSoAlreadyEndsNothing) {
  AddUser("alice", Role::kOperator);
  const Grant grant = SignIn("alice");
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.role = Role::kOperator, .disabled = false}).ok());
  ASSERT_TRUE(sessions_->UpdateUser("alice", {}).ok());
  EXPECT_EQ(Verify(grant.access_token), "ok");
  EXPECT_TRUE(TakeEnded().empty());
}

TEST_F(Users, TheLastActiveAdminCannotBeLost) {
  EXPECT_EQ(Answer(sessions_->UpdateUser("root", {.role = Role::kOperator})), "conflict");
  EXPECT_EQ(Answer(sessions_->UpdateUser("root", {.disabled = true})), "conflict");
  AddUser("second", Role::kAdmin);
  EXPECT_EQ(Answer(sessions_->UpdateUser("second", {.disabled = true})), "ok");
  EXPECT_EQ(Answer(sessions_->UpdateUser("root", {.disabled = true})), "conflict");
  EXPECT_EQ(Answer(sessions_->UpdateUser("root", {.password = "yet four more unrelated words"})), "ok");
  EXPECT_EQ(Answer(sessions_->UpdateUser("second", {.disabled = false})), "ok");
  EXPECT_EQ(Answer(sessions_->UpdateUser("root", {.role = Role::kViewer})), "ok");
}

TEST_F(Users, UnknownOnesAreNotFound) {
  EXPECT_EQ(Answer(sessions_->UpdateUser("nobody", {.disabled = true})), "not_found");
  EXPECT_EQ(Answer(sessions_->UpdateUser("no body", {.disabled = true})), "not_found");
  EXPECT_EQ(Answer(sessions_->EndAllSessions("nobody", "", EndReason::kEndedByUser)), "not_found");
  EXPECT_EQ(Answer(sessions_->EndAllSessions("", "", EndReason::kEndedByUser)), "not_found");
  EXPECT_TRUE(sessions_->ListSessions("nobody").empty());
}

TEST_F(Users, AFailedWriteChangesNothing) {
  AddUser("alice");
  const Grant grant = SignIn("alice");
  broken_->store(true);
  EXPECT_EQ(Answer(sessions_->UpdateUser("alice", {.disabled = true})), "unavailable");
  EXPECT_EQ(Answer(sessions_->AddUser("bob", Role::kViewer, kPassword)), "unavailable");
  EXPECT_EQ(Answer(sessions_->Logout(*grant.caller)), "unavailable");
  broken_->store(false);
  EXPECT_EQ(Verify(grant.access_token), "ok");
  EXPECT_TRUE(TakeEnded().empty());
  EXPECT_EQ(sessions_->ListUsers().size(), 2U);
}

TEST_F(Users, AllOfThisSurvivesARestart) {
  AddUser("alice");
  ASSERT_TRUE(sessions_->UpdateUser("alice", {.role = Role::kAuditor}).ok());
  const Grant grant = SignIn("alice");
  Restart();
  EXPECT_TRUE(sessions_->HasUsers());
  EXPECT_EQ((*sessions_->Verify(grant.access_token))->role(), Role::kAuditor);
  EXPECT_EQ(SignIn("alice").caller->role(), Role::kAuditor);
}

}  // namespace
}  // namespace nd::session
