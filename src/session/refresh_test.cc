// Refresh tokens: rotation, grace, replay, restart, lost answers, races.
#include <thread>

#include "session/test_deck.h"
#include "session/tokens.h"

namespace nd::session {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class RefreshTokens : public TestDeck {
 protected:
  RefreshTokens() { AddUser("alice"); }
  static std::uint64_t GenerationOf(const Grant& grant) { return ParseRefreshToken(grant.refresh_token)->generation; }
  std::uint64_t StoredGeneration() { return store_->Load()->sessions.at(0).generation; }
};

TEST_F(RefreshTokens, RotateAtEveryUse) {
  Grant grant = SignIn("alice");
  for (int i = 0; i < 5; ++i) {
    auto next = Refresh(grant);
    ASSERT_TRUE(next.ok()) << next.error().detail;
    EXPECT_EQ(next->kind, RefreshOutcome::Kind::kRotated);
    EXPECT_NE(next->grant.refresh_token, grant.refresh_token);
    EXPECT_NE(next->grant.access_token, grant.access_token);
    EXPECT_NE(next->grant.csrf_token, grant.csrf_token);
    EXPECT_EQ(next->grant.caller->id(), grant.caller->id());
    EXPECT_EQ(Verify(next->grant.access_token), "ok");
    EXPECT_EQ(StoredGeneration(), GenerationOf(next->grant));
    grant = next->grant;
  }
  EXPECT_TRUE(TakeEnded().empty());
}

TEST_F(RefreshTokens, AnOldOneInsideTheGraceGetsTheIdenticalSuccessor) {
  const Grant first = SignIn("alice");
  const Grant second = Refresh(first)->grant;
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(seconds(3));
    const auto repeat = Refresh(first);
    ASSERT_TRUE(repeat.ok());
    EXPECT_EQ(repeat->kind, RefreshOutcome::Kind::kGraceRepeat);
    EXPECT_EQ(repeat->grant.refresh_token, second.refresh_token);
    EXPECT_EQ(Verify(repeat->grant.access_token), "ok");
    EXPECT_TRUE(sessions_->CheckCsrf(*repeat->grant.caller, repeat->grant.csrf_token, repeat->grant.csrf_token).ok());
  }
  EXPECT_EQ(StoredGeneration(), 2U);
}

TEST_F(RefreshTokens, TheGraceEndsAfterTenSeconds) {
  for (const auto& [offset, graced] : {std::pair{-1, true}, std::pair{0, true}, std::pair{1, false}}) {
    const Grant first = SignIn("alice");
    ASSERT_TRUE(Refresh(first).ok());
    clock_.Advance(seconds(10) + microseconds(offset));
    EXPECT_EQ(Answer(Refresh(first)), graced ? "ok" : "session_ended") << offset;
  }
}

TEST_F(RefreshTokens, AReplayAfterTheGraceEndsTheFamily) {
  const Grant first = SignIn("alice");
  const Grant second = Refresh(first)->grant;
  clock_.Advance(seconds(11));
  CallerPtr reuse;
  const auto replay = Refresh(first, &reuse);
  ASSERT_FALSE(replay.ok());
  EXPECT_EQ(replay.error().code, "session_ended");
  EXPECT_EQ(replay.error().detail, "refresh_reuse");
  ASSERT_NE(reuse, nullptr);
  EXPECT_EQ(reuse->user(), "alice");
  EXPECT_EQ(reuse->id(), first.caller->id());
  EXPECT_EQ(TakeEnded(), (std::vector{Ended{first.caller->id(), CallerKind::kUser, EndReason::kRefreshReuse}}));
  EXPECT_EQ(Verify(first.access_token), "session_ended");
  EXPECT_EQ(Verify(second.access_token), "session_ended");
  EXPECT_EQ(Answer(Refresh(second)), "session_ended");
  EXPECT_TRUE(store_->Load()->sessions.empty());
  // The next replay finds nothing more to end.
  reuse.reset();
  EXPECT_EQ(Answer(Refresh(first, &reuse)), "session_ended");
  EXPECT_EQ(reuse, nullptr);
  EXPECT_TRUE(TakeEnded().empty());
  SignIn("alice");  // the account is not stuck
}

TEST_F(RefreshTokens, AnOlderOneIsAReplayEvenInsideTheGrace) {
  const Grant first = SignIn("alice");
  const Grant second = Refresh(first)->grant;
  ASSERT_TRUE(Refresh(second).ok());
  EXPECT_EQ(Answer(Refresh(first)), "session_ended");
  EXPECT_EQ(TakeEnded().size(), 1U);
}

TEST_F(RefreshTokens, AReplayEndsOnlyItsOwnFamily) {
  const Grant stolen = SignIn("alice");
  const Grant other = SignIn("alice");
  ASSERT_TRUE(Refresh(stolen).ok());
  clock_.Advance(seconds(11));
  EXPECT_EQ(Answer(Refresh(stolen)), "session_ended");
  EXPECT_EQ(Verify(other.access_token), "ok");
  EXPECT_EQ(Answer(Refresh(other)), "ok");
}

TEST_F(RefreshTokens, AForgedOneChangesNothing) {
  const Grant grant = SignIn("alice");
  const HmacSha256Key foreign{Secret(std::string(32, 'x'))};
  for (const std::string& forged :
       {MakeRefreshToken(foreign, grant.caller->id(), 1), MakeRefreshToken(foreign, grant.caller->id(), 2),
        grant.refresh_token + "A", std::string("A"), std::string(), grant.access_token}) {
    EXPECT_EQ(Answer(sessions_->Refresh(forged, grant.csrf_token, grant.csrf_token, client_)), "unauthenticated");
  }
  EXPECT_TRUE(TakeEnded().empty());
  EXPECT_EQ(Answer(Refresh(grant)), "ok");
}

TEST_F(RefreshTokens, AreNoAccessTokensNorTheOtherWayRound) {
  const Grant grant = SignIn("alice");
  EXPECT_EQ(Verify(grant.refresh_token), "unauthenticated");
  EXPECT_EQ(Verify(grant.csrf_token), "unauthenticated");
}

// A foreign page can make a browser send the cookie, but it has no CSRF token: it must not end a session with an old
// one.
TEST_F(RefreshTokens, NeedTheCsrfTokenOfTheirOwnGeneration) {
  const Grant first = SignIn("alice");
  const Grant second = Refresh(first)->grant;
  const Grant other = SignIn("alice");
  clock_.Advance(seconds(11));
  const auto answer = [&](const Grant& grant, std::string_view header, std::string_view cookie) {
    return Answer(sessions_->Refresh(grant.refresh_token, header, cookie, client_));
  };
  for (const std::string_view bad : {std::string_view(), std::string_view("x"), std::string_view(first.csrf_token),
                                     std::string_view(other.csrf_token)}) {
    EXPECT_EQ(answer(second, bad, second.csrf_token), "csrf_invalid") << bad;
    EXPECT_EQ(answer(second, second.csrf_token, bad), "csrf_invalid") << bad;
    EXPECT_EQ(answer(second, bad, bad), "csrf_invalid") << bad;
  }
  EXPECT_EQ(answer(first, second.csrf_token, second.csrf_token), "csrf_invalid");
  EXPECT_TRUE(TakeEnded().empty());
  EXPECT_EQ(answer(second, second.csrf_token, second.csrf_token), "ok");
  // With its own, whatever its age, a replay is seen as a replay.
  EXPECT_EQ(answer(first, first.csrf_token, first.csrf_token), "session_ended");
  EXPECT_EQ(TakeEnded().size(), 1U);
}

TEST_F(RefreshTokens, NeverMoveTheEndOfTheSession) {
  Grant grant = SignIn("alice");
  const WallTime end = sessions_->ListSessions("alice").at(0).ends_at;
  for (int day = 1; day <= 6; ++day) {
    clock_.Advance(std::chrono::days(1));
    grant = Refresh(grant)->grant;
    EXPECT_EQ(sessions_->ListSessions("alice").at(0).ends_at, end);
    EXPECT_EQ(grant.session_left, std::chrono::days(7 - day));
    EXPECT_LE(grant.caller->deadline(), end);
  }
  clock_.Advance(std::chrono::days(1) - seconds(10));
  grant = Refresh(grant)->grant;
  EXPECT_EQ(grant.expires_in, seconds(10));
  EXPECT_EQ(grant.session_left, seconds(10));
  clock_.Advance(seconds(10) - microseconds(1));
  EXPECT_EQ(Verify(grant.access_token), "ok");
  clock_.Advance(microseconds(1));
  EXPECT_EQ(Verify(grant.access_token), "unauthenticated");
  EXPECT_EQ(Answer(Refresh(grant)), "unauthenticated");
}

TEST_F(RefreshTokens, SurviveARestartBetweenAllSteps) {
  Grant grant = SignIn("alice");
  for (int i = 0; i < 3; ++i) {
    Restart();
    EXPECT_EQ(Verify(grant.access_token), "ok");
    auto next = Refresh(grant);
    ASSERT_TRUE(next.ok());
    Restart();
    const auto repeat = Refresh(grant);  // the answer was lost with the process
    ASSERT_TRUE(repeat.ok());
    EXPECT_EQ(repeat->kind, RefreshOutcome::Kind::kGraceRepeat);
    EXPECT_EQ(repeat->grant.refresh_token, next->grant.refresh_token);
    grant = repeat->grant;
  }
}

TEST_F(RefreshTokens, AfterARestartTheGraceIsJudgedByStoredWallTime) {
  for (const auto& [offset, graced] : {std::pair{-1, true}, std::pair{0, true}, std::pair{1, false}}) {
    const Grant first = SignIn("alice");
    ASSERT_TRUE(Refresh(first).ok());
    Restart();
    clock_.SetWall(clock_.Now() + seconds(10) + microseconds(offset));
    EXPECT_EQ(Answer(Refresh(first)), graced ? "ok" : "session_ended") << offset;
  }
  const Grant first = SignIn("alice");
  ASSERT_TRUE(Refresh(first).ok());
  Restart();
  clock_.SetWall(clock_.Now() - seconds(1));  // a clock behind the rotation proves nothing
  EXPECT_EQ(Answer(Refresh(first)), "session_ended");
}

TEST_F(RefreshTokens, WhileTheProcessRunsASetClockDoesNotStretchTheGrace) {
  const Grant first = SignIn("alice");
  ASSERT_TRUE(Refresh(first).ok());
  clock_.Advance(seconds(11));
  clock_.SetWall(clock_.Now() - seconds(11));
  EXPECT_EQ(Answer(Refresh(first)), "session_ended");
}

TEST_F(RefreshTokens, AFailedWriteRotatesNothing) {
  const Grant grant = SignIn("alice");
  broken_->store(true);
  const auto refused = Refresh(grant);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(StoredGeneration(), 1U);
  broken_->store(false);
  const auto next = Refresh(grant);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->kind, RefreshOutcome::Kind::kRotated);
  EXPECT_EQ(StoredGeneration(), 2U);
}

TEST_F(RefreshTokens, AreStoredAsHashesOnly) {
  const Grant grant = SignIn("alice");
  const SessionRow row = store_->Load()->sessions.at(0);
  EXPECT_EQ(row.refresh_hash.size(), 32U);
  EXPECT_EQ(grant.refresh_token.find(row.refresh_hash), std::string::npos);
}

TEST_F(RefreshTokens, ShowWhereTheClientIsNow) {
  const Grant grant = SignIn("alice");
  client_ = {"198.51.100.7", "moved"};
  clock_.Advance(seconds(60));
  ASSERT_TRUE(Refresh(grant).ok());
  const SessionInfo info = sessions_->ListSessions("alice").at(0);
  EXPECT_EQ(info.address, "198.51.100.7");
  EXPECT_EQ(info.user_agent, "moved");
  EXPECT_EQ(info.last_seen_at, clock_.Now());
  EXPECT_EQ(info.created_at, clock_.Now() - seconds(60));
}

// All at the same moment with the same token: one of them rotates, and all get the one live token.
TEST_F(RefreshTokens, SixtyFourTabsThatRaceShareOneSuccessor) {
  for (int round = 0; round < 10; ++round) {
    const Grant grant = SignIn("alice");
    std::vector<std::string> tokens(64);
    std::atomic<int> rotated{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      threads.emplace_back([&, i] {
        while (!go.load()) std::this_thread::yield();
        const auto outcome = Refresh(grant);
        if (!outcome.ok()) return;
        tokens[i] = outcome->grant.refresh_token;
        if (outcome->kind == RefreshOutcome::Kind::kRotated) ++rotated;
      });
    }
    go.store(true);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(rotated.load(), 1);
    for (const std::string& token : tokens) EXPECT_EQ(token, tokens.front());
    EXPECT_FALSE(tokens.front().empty());
    ASSERT_TRUE(sessions_->Logout(*grant.caller).ok());
  }
}

}  // namespace
}  // namespace nd::session
