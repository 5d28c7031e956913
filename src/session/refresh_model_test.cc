// The refresh rules against a model of them, over random histories: at most one live token per family, always.
#include <map>
#include <random>
#include <thread>

#include "session/test_deck.h"
#include "session/tokens.h"

namespace nd::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the rules say, in as few words as they need.
struct Family {
  bool alive = true;
  std::uint64_t current = 1;
  WallTime rotated_at{};

  enum class Verdict { kRotated, kRepeat, kEnded };
  Verdict Present(std::uint64_t generation, WallTime now) {
    if (!alive) return Verdict::kEnded;
    if (generation == current) {
      ++current;
      rotated_at = now;
      return Verdict::kRotated;
    }
    if (generation + 1 == current && now - rotated_at <= seconds(10)) return Verdict::kRepeat;
    alive = false;
    return Verdict::kEnded;
  }
};

class RefreshModel : public TestDeck {
 protected:
  RefreshModel() { AddUser("alice"); }

  // Presents every token ever handed out and counts those that the deck would still rotate. Works on a copy of the
  // state: reads the store, since presenting would change it.
  void ExpectOneLiveTokenPerFamily(const std::map<std::string, Family>& families) {
    const auto rows = store_->Load()->sessions;
    std::size_t alive = 0;
    for (const auto& [id, family] : families) alive += family.alive ? 1U : 0U;
    EXPECT_EQ(rows.size(), alive);
    for (const SessionRow& row : rows) {
      const auto family = families.find(row.id);
      ASSERT_NE(family, families.end());
      EXPECT_TRUE(family->second.alive);
      EXPECT_EQ(row.generation, family->second.current);
    }
  }
};

TEST_F(RefreshModel, AgreesOverRandomHistoriesWithRestartsAndFailedWrites) {
  std::mt19937 dice(20'261'124);
  const auto roll = [&](unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(dice); };
  for (int history = 0; history < 60; ++history) {
    std::map<std::string, Family> families;
    std::vector<Grant> handed_out;  // every grant there ever was, each as good to replay as another
    for (int step = 0; step < 60; ++step) {
      const unsigned act = roll(20);
      if (handed_out.empty() || act == 0) {
        handed_out.push_back(SignIn("alice"));
        families.emplace(handed_out.back().caller->id(), Family{true, 1, clock_.Now()});
      } else if (act <= 3) {
        clock_.Advance(milliseconds(roll(12'000)));
      } else if (act == 4) {
        Restart();
      } else {
        // Mostly the newest few, sometimes any.
        const std::size_t back = roll(4) == 0 ? roll(static_cast<unsigned>(handed_out.size()))
                                              : std::min<std::size_t>(roll(3), handed_out.size() - 1);
        const Grant grant = handed_out[handed_out.size() - 1 - back];
        Family& family = families.at(grant.caller->id());
        if (act == 5) {
          broken_->store(true);
          const bool repeats = Family(family).Present(ParseRefreshToken(grant.refresh_token)->generation,
                                                      clock_.Now()) == Family::Verdict::kRepeat;
          EXPECT_EQ(Refresh(grant).ok(), repeats);  // only what needs no write succeeds
          broken_->store(false);
          continue;
        }
        const auto verdict = family.Present(ParseRefreshToken(grant.refresh_token)->generation, clock_.Now());
        const auto outcome = Refresh(grant);
        switch (verdict) {
          case Family::Verdict::kRotated:
          case Family::Verdict::kRepeat:
            ASSERT_TRUE(outcome.ok()) << outcome.error().detail;
            EXPECT_EQ(outcome->kind == RefreshOutcome::Kind::kRotated, verdict == Family::Verdict::kRotated);
            EXPECT_EQ(ParseRefreshToken(outcome->grant.refresh_token)->generation, family.current);
            if (roll(5) != 0) handed_out.push_back(outcome->grant);  // else the answer was lost
            break;
          case Family::Verdict::kEnded:
            EXPECT_EQ(Answer(outcome), "session_ended");
            break;
        }
      }
      ExpectOneLiveTokenPerFamily(families);
    }
    ASSERT_TRUE(sessions_->EndAllSessions("alice", "", EndReason::kEndedByUser).ok());
  }
}

// Threads present old and new tokens of one family at random, without any order: whatever happens, no two successors of
// one generation differ, and once the family has ended nothing is handed out any more.
TEST_F(RefreshModel, NoInterleavingYieldsTwoLiveTokens) {
  for (int round = 0; round < 6; ++round) {
    Mutex mutex;
    std::vector<Grant> pool{SignIn("alice")};
    std::map<std::uint64_t, std::string> by_generation;
    bool diverged = false;
    std::atomic<int> after_the_end{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 64; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 dice(t + static_cast<unsigned>(round) * 1000);
        for (int i = 0; i < 12; ++i) {
          Grant grant;
          {
            MutexLock lock(mutex);
            // Nearly always the newest; now and then one before, which is graced or kills.
            const std::size_t back = dice() % 40 == 0 ? std::min<std::size_t>(1, pool.size() - 1) : 0;
            grant = pool[pool.size() - 1 - back];
          }
          const bool ended_before = sessions_->ListSessions("alice").empty();
          const auto outcome = Refresh(grant);
          if (!outcome.ok()) continue;
          if (ended_before) ++after_the_end;
          const std::uint64_t generation = ParseRefreshToken(outcome->grant.refresh_token)->generation;
          MutexLock lock(mutex);
          const auto [known, fresh] = by_generation.emplace(generation, outcome->grant.refresh_token);
          if (!fresh && known->second != outcome->grant.refresh_token) diverged = true;
          if (fresh && generation > ParseRefreshToken(pool.back().refresh_token)->generation)
            pool.push_back(outcome->grant);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(diverged);
    EXPECT_EQ(after_the_end.load(), 0);
    const auto rows = store_->Load()->sessions;
    ASSERT_LE(rows.size(), 1U);
    if (rows.size() == 1) {
      EXPECT_EQ(rows[0].generation, by_generation.rbegin()->first);
      EXPECT_EQ(Answer(Refresh(pool.back())), "ok");
    } else {
      EXPECT_EQ(TakeEnded().size(), 1U);
    }
    TakeEnded();
    ASSERT_TRUE(sessions_->EndAllSessions("alice", "", EndReason::kEndedByUser).ok());
    TakeEnded();
  }
}

}  // namespace
}  // namespace nd::session
