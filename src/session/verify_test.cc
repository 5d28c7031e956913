// What an access token and a CSRF token prove.
#include "session/csrf.h"
#include "session/jwt.h"
#include "session/test_deck.h"

namespace nd::session {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class AccessTokens : public TestDeck {
 protected:
  AccessTokens() { AddUser("alice"); }
};

TEST_F(AccessTokens, NameTheirUserSessionAndDeadline) {
  const Grant grant = SignIn("alice");
  const auto caller = sessions_->Verify(grant.access_token);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ((*caller)->kind(), CallerKind::kUser);
  EXPECT_EQ((*caller)->user(), "alice");
  EXPECT_EQ((*caller)->role(), Role::kOperator);
  EXPECT_EQ((*caller)->id(), grant.caller->id());
  EXPECT_EQ((*caller)->session_hash(), sessions_->LogHash(grant.caller->id()));
  EXPECT_EQ((*caller)->authenticated_at(), clock_.Now());
  EXPECT_EQ((*caller)->deadline(), clock_.Now() + seconds(86'400));
  EXPECT_TRUE((*caller)->Allows(Scope::Kind::kCommand, "git"));
  EXPECT_EQ(grant.expires_in, seconds(86'400));
}

TEST_F(AccessTokens, LiveForTheirLifetime) {
  const Grant grant = SignIn("alice");
  clock_.Advance(seconds(86'400) - microseconds(1));
  EXPECT_EQ(Verify(grant.access_token), "ok");
  clock_.Advance(microseconds(1));
  EXPECT_EQ(Verify(grant.access_token), "unauthenticated");
}

TEST_F(AccessTokens, DieWithTheirSession) {
  const Grant grant = SignIn("alice");
  ASSERT_TRUE(sessions_->Logout(*grant.caller).ok());
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{grant.caller->id(), CallerKind::kUser, EndReason::kLogout}}));
  EXPECT_TRUE(sessions_->Logout(*grant.caller).ok());  // what is wanted is so already
  EXPECT_TRUE(TakeEnded().empty());
  Restart();
  EXPECT_EQ(Verify(grant.access_token), "session_ended");
}

TEST_F(AccessTokens, OfAnotherDeckAreForeign) {
  const Grant grant = SignIn("alice");
  const SessionRow row = store_->Load()->sessions.at(0);
  // The same keys, users and sessions, under another deck's name.
  store_ = std::make_shared<MemoryStore>();
  options_.deck_id = "other-deck";
  Restart();
  AddUser("alice");
  ASSERT_TRUE(store_->AddSession(row, {}).ok());
  Restart();
  EXPECT_EQ(Verify(grant.access_token), "unauthenticated");
}

TEST_F(AccessTokens, AreNotAcceptedForSomeoneElsesSession) {
  AddUser("bob");
  const Grant alice = SignIn("alice");
  // A token of the right key whose subject is not the session's owner; only a bug of ours could sign one.
  std::vector<JwtRing::NewKey> keys;
  keys.push_back({"first", Secret(std::string(32, 'j'))});
  const auto ring = JwtRing::Create(std::move(keys), "neuraldeck:test-deck", "neuraldeck");
  const std::int64_t now = UnixSeconds(clock_.Now());
  EXPECT_EQ(Verify(ring->Sign({"alice", alice.caller->id(), "j", now, now + 60})), "ok");
  EXPECT_EQ(Verify(ring->Sign({"bob", alice.caller->id(), "j", now, now + 60})), "unauthenticated");
  EXPECT_EQ(Verify(ring->Sign({"alice", "no-such-session", "j", now, now + 60})), "session_ended");
}

TEST_F(AccessTokens, GarbageIsRefused) {
  for (const std::string& token : {std::string(), std::string("x"), std::string("nda_"), std::string("a.b.c"),
                                   std::string(100'000, '.'), std::string(100'000, 'a'), std::string(3, '\0')}) {
    EXPECT_EQ(Verify(token), "unauthenticated");
  }
}

TEST_F(AccessTokens, RefusalsNeverEchoTheToken) {
  const Grant grant = SignIn("alice");
  std::string forged = grant.access_token;
  forged.back() = forged.back() == 'A' ? 'E' : 'A';
  const auto refused = sessions_->Verify(forged);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().public_text.find(forged.substr(0, 20)), std::string::npos);
  EXPECT_EQ(refused.error().detail.find(forged.substr(0, 20)), std::string::npos);
}

TEST_F(AccessTokens, SigningKeysRotateWithoutLoggingAnyoneOut) {
  const Grant old = SignIn("alice");
  Keys keys = SomeKeys();
  keys.jwt.insert(keys.jwt.begin(), {"second", Secret(std::string(40, 'n'))});
  auto opened = Sessions::Open(std::make_unique<SwitchedStore>(store_, broken_), std::move(keys), options_, kCheapest,
                               clock_, random_);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE((*opened)->Verify(old.access_token).ok());
  const auto refreshed = (*opened)->Refresh(old.refresh_token, old.csrf_token, old.csrf_token, client_);
  ASSERT_TRUE(refreshed.ok());
  EXPECT_TRUE((*opened)->Verify(refreshed->grant.access_token).ok());
  EXPECT_EQ(Verify(refreshed->grant.access_token), "unauthenticated");  // this one knows the old key only
}

TEST_F(AccessTokens, LogHashesTellNothingAndStayTheSame) {
  const std::string hash = sessions_->LogHash("some-id");
  EXPECT_EQ(hash.size(), 17U);
  EXPECT_EQ(hash[0], 'k');
  EXPECT_NE(hash, sessions_->LogHash("other-id"));
  Restart();
  EXPECT_EQ(hash, sessions_->LogHash("some-id"));
}

class CsrfCheck : public TestDeck {
 protected:
  CsrfCheck() { AddUser("alice"); }
  std::string Check(const Grant& grant, std::string_view header, std::string_view cookie) {
    return Answer(sessions_->CheckCsrf(*grant.caller, header, cookie));
  }
};

TEST_F(CsrfCheck, TakesThePairThatWasGiven) {
  const Grant grant = SignIn("alice");
  EXPECT_EQ(Check(grant, grant.csrf_token, grant.csrf_token), "ok");
  const std::string fresh = *sessions_->IssueCsrf(*grant.caller);
  EXPECT_NE(fresh, grant.csrf_token);
  EXPECT_EQ(Check(grant, fresh, grant.csrf_token), "ok");  // equality is not asked for
  EXPECT_EQ(Check(grant, grant.csrf_token, fresh), "ok");
}

// Every pair of good, missing, garbled, foreign and future tokens: only good with good passes.
TEST_F(CsrfCheck, RefusesEveryPairWithABadHalf) {
  const Grant grant = SignIn("alice");
  const Grant other = SignIn("alice");
  const Grant foreign = Refresh(other)->grant;
  const CsrfTokens same_key{Secret(std::string(32, 'c'))};
  const std::string future = same_key.Issue(grant.caller->id(), 2, random_);
  const std::string good = grant.csrf_token;
  const std::vector<std::string> bad = {"",         "x",        other.csrf_token, foreign.csrf_token,    future,
                                        good + "A", " " + good, good.substr(1),   std::string(5000, 'a')};
  for (const std::string& one : bad) {
    EXPECT_EQ(Check(grant, one, good), "csrf_invalid") << one;
    EXPECT_EQ(Check(grant, good, one), "csrf_invalid") << one;
    for (const std::string& two : bad) EXPECT_EQ(Check(grant, one, two), "csrf_invalid") << one << " " << two;
  }
}

TEST_F(CsrfCheck, AnOlderTabSurvivesTheGraceAndIsStaleAfterIt) {
  const Grant first = SignIn("alice");
  const Grant second = Refresh(first)->grant;
  clock_.Advance(seconds(10));
  for (const auto& [header, cookie] :
       {std::pair{&first, &first}, std::pair{&first, &second}, std::pair{&second, &first}}) {
    EXPECT_EQ(Check(second, header->csrf_token, cookie->csrf_token), "ok");
  }
  clock_.Advance(microseconds(1));
  for (const auto& [header, cookie] :
       {std::pair{&first, &first}, std::pair{&first, &second}, std::pair{&second, &first}}) {
    EXPECT_EQ(Check(second, header->csrf_token, cookie->csrf_token), "csrf_stale");
  }
  EXPECT_EQ(Check(second, second.csrf_token, second.csrf_token), "ok");
  EXPECT_EQ(Check(second, first.csrf_token, ""), "csrf_invalid");
}

TEST_F(CsrfCheck, TwoGenerationsBackIsStaleEvenInsideTheGrace) {
  const Grant first = SignIn("alice");
  const Grant third = Refresh(Refresh(first)->grant)->grant;
  EXPECT_EQ(Check(third, first.csrf_token, third.csrf_token), "csrf_stale");
}

TEST_F(CsrfCheck, SurvivesARestart) {
  const Grant grant = SignIn("alice");
  Restart();
  EXPECT_EQ(Check(grant, grant.csrf_token, grant.csrf_token), "ok");
}

TEST_F(CsrfCheck, IsOverWithTheSession) {
  const Grant grant = SignIn("alice");
  ASSERT_TRUE(sessions_->Logout(*grant.caller).ok());
  EXPECT_EQ(Check(grant, grant.csrf_token, grant.csrf_token), "session_ended");
  EXPECT_FALSE(sessions_->IssueCsrf(*grant.caller).ok());
}

}  // namespace
}  // namespace nd::session
