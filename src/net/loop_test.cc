#include "net/loop.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "net/signal.h"

namespace nd::net {
namespace {

class Note final : public EndOfTurn {
 public:
  Note(std::string& log, std::string text) : log_(log), text_(std::move(text)) {}
  void RunAtEndOfTurn() override {
    log_ += text_;
    if (then_) std::exchange(then_, nullptr)();
  }
  void Then(std::function<void()> then) { then_ = std::move(then); }

 private:
  std::string& log_;
  std::string text_;
  std::function<void()> then_;
};

class LoopTest : public testing::Test {
 protected:
  void RunUntilStopped() { loop_.Run(); }
  Loop loop_{3};
  std::string log_;
};

TEST_F(LoopTest, RunsItemsAfterEverythingThatIsReady) {
  Note first(log_, "1"), second(log_, "2");
  loop_.Post([&] {
    loop_.AtEndOfTurn(first);
    log_ += "a";
  });
  loop_.Post([&] {
    loop_.AtEndOfTurn(second);
    loop_.AtEndOfTurn(first);  // twice is once
    log_ += "b";
  });
  second.Then([&] { loop_.Stop(); });
  RunUntilStopped();
  EXPECT_EQ(log_, "ab12");
  EXPECT_EQ(loop_.index(), 3U);
}

TEST_F(LoopTest, RunsItemsOfItemsInTheSameStage) {
  Note first(log_, "1"), second(log_, "2");
  first.Then([&] {
    loop_.AtEndOfTurn(second);
    loop_.Post([&] {
      log_ += "later";
      loop_.Stop();
    });
  });
  loop_.Post([&] { loop_.AtEndOfTurn(first); });
  RunUntilStopped();
  EXPECT_EQ(log_, "12later");
}

TEST_F(LoopTest, ForgetsAnItemOnRequest) {
  Note first(log_, "1"), second(log_, "2"), third(log_, "3");
  third.Then([&] { loop_.Stop(); });
  loop_.Post([&] {
    loop_.AtEndOfTurn(first);
    loop_.AtEndOfTurn(second);
    loop_.Forget(second);
    loop_.Forget(first);
    loop_.Forget(first);
    loop_.AtEndOfTurn(third);
  });
  RunUntilStopped();
  EXPECT_EQ(log_, "3");
}

TEST_F(LoopTest, IsNotKeptFromItsStageByABusyHandler) {
  Note flush(log_, "");
  flush.Then([&] { loop_.Stop(); });
  int rounds = 0;
  std::function<void()> busy = [&] {
    ++rounds;
    if (rounds == 1) loop_.AtEndOfTurn(flush);
    if (rounds < 1'000'000) loop_.Post(busy);
  };
  loop_.Post(busy);
  RunUntilStopped();
  EXPECT_LT(rounds, 10);
}

TEST_F(LoopTest, TakesTasksFromOtherThreads) {
  std::thread other([&] {
    loop_.Post([&] {
      log_ += "from afar";
      loop_.Stop();
    });
  });
  RunUntilStopped();
  other.join();
  EXPECT_EQ(log_, "from afar");
}

TEST_F(LoopTest, SignalResumesItsWaiterInALaterTurn) {
  Signal signal(loop_.executor());
  signal.Notify();  // nobody waits: nothing happens
  asio::co_spawn(
      loop_.context(),
      [&]() -> Task<> {
        co_await signal.Wait();
        log_ += "woken";
        co_await signal.Wait();
        log_ += " again";
        loop_.Stop();
      },
      asio::detached);
  loop_.Post([&] {
    signal.Notify();
    log_ += "notified ";
    loop_.Post([&] { signal.Notify(); });
  });
  RunUntilStopped();
  EXPECT_EQ(log_, "notified woken again");
}

}  // namespace
}  // namespace nd::net
