// Setup, sign-in, throttling as the outside sees it, and password change.
#include "session/account.h"
#include "session/test_deck.h"

namespace nd::session {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class FirstStart : public TestDeck {};

TEST_F(FirstStart, TheSetupTokenMakesTheFirstAdminOnce) {
  EXPECT_FALSE(sessions_->HasUsers());
  const std::string token = *sessions_->IssueSetupToken();
  const auto admin = sessions_->Setup(token, " Root ", kPassword);
  ASSERT_TRUE(admin.ok()) << admin.error().detail;
  EXPECT_EQ(admin->id, "root");
  EXPECT_EQ(admin->role, Role::kAdmin);
  EXPECT_TRUE(sessions_->HasUsers());
  EXPECT_EQ(Answer(sessions_->Setup(token, "second", kPassword)), "conflict");
  EXPECT_EQ(Answer(sessions_->IssueSetupToken()), "conflict");
  EXPECT_EQ(SignIn("root").caller->role(), Role::kAdmin);
}

TEST_F(FirstStart, AWrongReplacedOrMissingTokenSetsNothingUp) {
  EXPECT_EQ(Answer(sessions_->Setup("nds_" + std::string(43, 'A'), "root", kPassword)), "unauthenticated");
  const std::string replaced = *sessions_->IssueSetupToken();
  const std::string token = *sessions_->IssueSetupToken();
  for (const std::string& wrong : {std::string(), replaced, token + "A", token.substr(4), std::string(43, 'A')}) {
    EXPECT_EQ(Answer(sessions_->Setup(wrong, "root", kPassword)), "unauthenticated") << wrong;
  }
  EXPECT_FALSE(sessions_->HasUsers());
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", kPassword)), "ok");
}

TEST_F(FirstStart, TheTokenLivesFifteenMinutes) {
  const std::string token = *sessions_->IssueSetupToken();
  clock_.Advance(minutes(15));
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", kPassword)), "unauthenticated");
  const std::string second = *sessions_->IssueSetupToken();
  clock_.Advance(minutes(15) - microseconds(1));
  EXPECT_EQ(Answer(sessions_->Setup(second, "root", kPassword)), "ok");
}

TEST_F(FirstStart, ARefusedPasswordOrNameKeepsTheToken) {
  const std::string token = *sessions_->IssueSetupToken();
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", "short")), "invalid_request");
  EXPECT_EQ(Answer(sessions_->Setup(token, "../root", kPassword)), "invalid_request");
  broken_->store(true);
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", kPassword)), "unavailable");
  broken_->store(false);
  EXPECT_FALSE(sessions_->HasUsers());
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", kPassword)), "ok");
}

TEST_F(FirstStart, TheTokenSurvivesARestartAndDiesWithTheFirstUser) {
  const std::string token = *sessions_->IssueSetupToken();
  Restart();
  AddUser("alice", Role::kAdmin);  // made on the command line meanwhile
  EXPECT_EQ(Answer(sessions_->Setup(token, "root", kPassword)), "conflict");
  EXPECT_EQ(sessions_->ListUsers().size(), 1U);
}

class SigningIn : public TestDeck {
 protected:
  SigningIn() { AddUser("alice"); }
  Error Refusal(std::string_view user, std::string_view password) {
    const auto grant = sessions_->SignIn(user, password, client_);
    EXPECT_FALSE(grant.ok());
    return grant.ok() ? Error{} : grant.error();
  }
};

TEST_F(SigningIn, TellsRecordsWhetherANameIsAnAccount) {
  for (const char* spelling : {"alice", "ALICE", " Alice "}) EXPECT_TRUE(sessions_->IsUser(spelling)) << spelling;
  for (const char* other : {"", "bob", "alice2", "sk-pasted-into-the-wrong-field"})
    EXPECT_FALSE(sessions_->IsUser(other)) << other;
}

TEST_F(SigningIn, KnowsOneAccountUnderEachSpelling) {
  for (const char* spelling : {"alice", "ALICE", " Alice ", "aLiCe\t"}) {
    EXPECT_EQ(SignIn(spelling).caller->user(), "alice") << spelling;
  }
}

TEST_F(SigningIn, WrongUnknownAndDisabledAreOneAndTheSame) {
  AddUser("gone");
  ASSERT_TRUE(sessions_->UpdateUser("gone", {.disabled = true}).ok());
  const Error wrong = Refusal("alice", "not the password");
  for (const Error& other :
       {Refusal("nobody", kPassword), Refusal("gone", kPassword), Refusal("not a name!", kPassword), Refusal("", ""),
        Refusal("alice", ""), Refusal("alice", std::string(kMaxPassword + 1, 'p'))}) {
    EXPECT_EQ(other.kind, ErrorKind::kUnauthenticated);
    EXPECT_EQ(other.code, wrong.code);
    EXPECT_EQ(other.public_text, wrong.public_text);
    EXPECT_EQ(other.detail, wrong.detail);
  }
}

TEST_F(SigningIn, GivesEverySessionItsOwnIdAndTokens) {
  const Grant one = SignIn("alice");
  const Grant two = SignIn("alice");
  EXPECT_NE(one.caller->id(), two.caller->id());
  EXPECT_NE(one.refresh_token, two.refresh_token);
  EXPECT_EQ(sessions_->ListSessions("alice").size(), 2U);
}

TEST_F(SigningIn, CountsEachSpellingOnOneAccount) {
  const std::vector<std::string> spellings = {"alice", "ALICE", " alice", "Alice ", "aLICE"};
  for (const std::string& spelling : spellings) {
    client_.address = "192.0.2." + std::to_string(client_.address.size() + spelling.size());
    EXPECT_EQ(Refusal(spelling, "wrong").code, "unauthenticated");
  }
  for (const std::string& spelling : spellings) {
    const Error refused = Refusal(spelling, kPassword);
    EXPECT_EQ(refused.code, "rate_limited");
    EXPECT_EQ(refused.retry_after_seconds, 1);
    EXPECT_EQ(Answer(sessions_->CheckThrottle(spelling, client_)), "rate_limited");
  }
  clock_.Advance(seconds(1));
  SignIn("alice");
}

TEST_F(SigningIn, UnknownNamesAreThrottledLikeKnownOnes) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Refusal("nobody", "wrong").code, "unauthenticated");
  EXPECT_EQ(Refusal("nobody", "wrong").code, "rate_limited");
  EXPECT_EQ(Refusal("alice", "wrong").code, "unauthenticated");
}

TEST_F(SigningIn, NobodyLocksTheAdministratorOutFromElsewhere) {
  AddUser("root", Role::kAdmin);
  SignIn("root");
  const Client home = client_;
  const auto attack = [&] {
    for (int i = 0; i < 50; ++i) {
      client_.address = "198.51.100." + std::to_string(i);
      Refusal("root", "guess");
      clock_.Advance(seconds(1));
    }
    EXPECT_EQ(Refusal("root", kPassword).code, "rate_limited");
    client_ = home;
  };
  attack();
  SignIn("root");
  // The session remembers the address across a restart.
  Restart();
  attack();
  SignIn("root");
}

TEST_F(SigningIn, AHundredSuccessesAreNoFailures) {
  for (int i = 0; i < 100; ++i) SignIn("alice");
  EXPECT_EQ(Answer(sessions_->CheckThrottle("alice", client_)), "ok");
}

TEST_F(SigningIn, UnlockingForgetsFailures) {
  for (int i = 0; i < 5; ++i) Refusal("alice", "wrong");
  EXPECT_EQ(Refusal("alice", kPassword).code, "rate_limited");
  sessions_->UnlockThrottle("not a name!");
  sessions_->UnlockThrottle("bob");
  EXPECT_EQ(Refusal("alice", kPassword).code, "rate_limited");
  sessions_->UnlockThrottle(" ALICE");
  SignIn("alice");
}

TEST_F(SigningIn, TheOldestSessionMakesRoom) {
  options_.max_sessions_per_user = 3;
  Restart();
  std::vector<Grant> grants;
  for (int i = 0; i < 3; ++i) {
    grants.push_back(SignIn("alice"));
    clock_.Advance(seconds(1));
  }
  EXPECT_TRUE(TakeEnded().empty());
  grants.push_back(SignIn("alice"));
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{grants[0].caller->id(), CallerKind::kUser, EndReason::kTooMany}}));
  EXPECT_EQ(Verify(grants[0].access_token), "session_ended");
  EXPECT_EQ(Verify(grants[1].access_token), "ok");
  EXPECT_EQ(sessions_->ListSessions("alice").size(), 3U);
  EXPECT_EQ(store_->Load()->sessions.size(), 3U);
}

TEST_F(SigningIn, AFailedWriteSignsNobodyIn) {
  broken_->store(true);
  const Error refused = Refusal("alice", kPassword);
  EXPECT_EQ(refused.kind, ErrorKind::kUnavailable);
  broken_->store(false);
  EXPECT_TRUE(sessions_->ListAllSessions().empty());
  EXPECT_EQ(Answer(sessions_->CheckThrottle("alice", client_)), "ok");
}

TEST_F(SigningIn, RenewsAHashOfAnotherCostAndLeavesSessionsAlone) {
  const Grant before = SignIn("alice");
  const std::string old_hash = store_->Load()->users.at(0).password_hash;
  auto dearer = Sessions::Open(std::make_unique<SwitchedStore>(store_, broken_), SomeKeys(), options_,
                               PasswordCost{2, 16384}, clock_, random_);
  ASSERT_TRUE(dearer.ok());
  ASSERT_TRUE((*dearer)->SignIn("alice", kPassword, client_).ok());
  EXPECT_NE(store_->Load()->users.at(0).password_hash, old_hash);
  EXPECT_TRUE((*dearer)->Verify(before.access_token).ok());
  ASSERT_TRUE((*dearer)->SignIn("alice", kPassword, client_).ok());
}

class PasswordChange : public TestDeck {
 protected:
  static constexpr const char* kNext = "another four unrelated words";
  PasswordChange() { AddUser("alice"); }
};

TEST_F(PasswordChange, EndsAllOtherSessionsAndKeepsThisOne) {
  const Grant own = SignIn("alice");
  const Grant other = SignIn("alice");
  clock_.Advance(seconds(60));
  ASSERT_TRUE(sessions_->ChangePassword(*own.caller, kPassword, kNext, client_).ok());
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{other.caller->id(), CallerKind::kUser, EndReason::kPasswordChange}}));
  EXPECT_EQ(Verify(own.access_token), "ok");
  EXPECT_EQ((*sessions_->Verify(own.access_token))->authenticated_at(), clock_.Now());
  EXPECT_EQ(Verify(other.access_token), "session_ended");
  EXPECT_EQ(Answer(Refresh(other)), "session_ended");
  Restart();
  EXPECT_EQ(Verify(own.access_token), "ok");
  EXPECT_EQ(Answer(Refresh(own)), "ok");
  EXPECT_EQ(Answer(sessions_->SignIn("alice", kPassword, client_)), "unauthenticated");
  SignIn("alice", kNext);
}

TEST_F(PasswordChange, NeedsTheCurrentPasswordAndThrottlesGuessesAtIt) {
  const Grant own = SignIn("alice");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, "guess", kNext, client_)), "forbidden");
  }
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, kNext, client_)), "rate_limited");
  EXPECT_EQ(Verify(own.access_token), "ok");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, kNext, client_)), "ok");
}

TEST_F(PasswordChange, RefusesAPoorOrUnchangedOne) {
  const Grant own = SignIn("alice");
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, "short", client_)), "invalid_request");
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, kPassword, client_)), "invalid_request");
}

TEST_F(PasswordChange, IsNotForAnEndedSession) {
  const Grant own = SignIn("alice");
  ASSERT_TRUE(sessions_->Logout(*own.caller).ok());
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, kNext, client_)), "session_ended");
  SignIn("alice");
}

TEST_F(PasswordChange, AFailedWriteChangesNothing) {
  const Grant own = SignIn("alice");
  const Grant other = SignIn("alice");
  broken_->store(true);
  EXPECT_EQ(Answer(sessions_->ChangePassword(*own.caller, kPassword, kNext, client_)), "unavailable");
  broken_->store(false);
  EXPECT_EQ(Verify(other.access_token), "ok");
  SignIn("alice", kPassword);
}

}  // namespace
}  // namespace nd::session
