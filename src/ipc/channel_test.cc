#include "ipc/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace nd::ipc {
namespace {

class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pair = MakePair();
    ASSERT_TRUE(pair.ok());
    ends_ = *std::move(pair);
  }
  // Runs the loop until `done` or nothing is left to wait for.
  template <class Done>
  void RunUntil(Done done) {
    for (int turn = 0; turn < 100'000 && !done(); ++turn) loop_.context().run_one();
    ASSERT_TRUE(done());
  }
  static Channel::OnFrame Ignore() {
    return [](const Frame&) { return Result<void>(); };
  }

  net::Loop loop_{0};
  std::pair<UniqueFd, UniqueFd> ends_;
};

TEST_F(ChannelTest, CarriesFramesInOrder) {
  Channel left(loop_, std::move(ends_.first), 64 << 20);
  Channel right(loop_, std::move(ends_.second), 1 << 20);
  left.Start(Ignore(), [](const std::string&) {});
  std::vector<std::string> seen;
  right.Start(
      [&](const Frame& frame) {
        seen.push_back(std::to_string(frame.call) + ":" + std::to_string(frame.payload.size()));
        return Result<void>();
      },
      [](const std::string&) {});
  std::vector<std::string> expected;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(left.Send(1, i, std::string(i * 20'000, 'x')));
    expected.push_back(std::to_string(i) + ":" + std::to_string(i * 20'000));
  }
  RunUntil([&] { return seen.size() == 50; });
  EXPECT_EQ(seen, expected);
}

TEST_F(ChannelTest, QueuesUpToItsBoundAndNotAByteMore) {
  Channel left(loop_, std::move(ends_.first), kFrameHeader + 100);
  EXPECT_FALSE(left.Send(1, 1, std::string(101, 'x')));
  EXPECT_TRUE(left.Send(1, 1, std::string(100, 'x')));
  EXPECT_FALSE(left.Send(1, 1, ""));
  EXPECT_FALSE(left.CanSend(0));
}

TEST_F(ChannelTest, SaysOnceThatTheOtherSideHasGone) {
  Channel left(loop_, std::move(ends_.first), 1 << 20);
  int closed = 0;
  left.Start(Ignore(), [&](const std::string&) { ++closed; });
  ends_.second.Reset();
  RunUntil([&] { return closed == 1; });
  loop_.context().poll();
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(left.Send(1, 1, "x"));
}

TEST_F(ChannelTest, ClosesAtTheFirstMalformedFrame) {
  Channel left(loop_, std::move(ends_.first), 1 << 20);
  std::string reason;
  int frames = 0;
  left.Start(
      [&](const Frame&) {
        ++frames;
        return Result<void>();
      },
      [&](const std::string& why) { reason = why; });
  const Bytes good = EncodeFrame(1, 1, "x");
  ASSERT_TRUE(WriteAll(ends_.second.get(), View(good)).ok());
  ASSERT_TRUE(WriteAll(ends_.second.get(), std::string_view("\xff\xff\xff\xff", 4)).ok());
  RunUntil([&] { return !reason.empty(); });
  EXPECT_EQ(frames, 1);
  char byte = 0;
  EXPECT_EQ(read(ends_.second.get(), &byte, 1), 0);
}

TEST_F(ChannelTest, ClosesWhenItsOwnerRefusesAFrame) {
  Channel left(loop_, std::move(ends_.first), 1 << 20);
  std::string reason;
  left.Start([&](const Frame&) -> Result<void> { return InvalidInput("no", "not that"); },
             [&](const std::string& why) { reason = why; });
  ASSERT_TRUE(WriteAll(ends_.second.get(), View(EncodeFrame(1, 1, "x"))).ok());
  RunUntil([&] { return !reason.empty(); });
  EXPECT_EQ(reason, "not that");
}

TEST_F(ChannelTest, MayBeDestroyedInsideItsCallback) {
  auto left = std::make_unique<Channel>(loop_, std::move(ends_.first), 1 << 20);
  int frames = 0;
  left->Start(
      [&](const Frame&) {
        ++frames;
        left.reset();
        return Result<void>();
      },
      [](const std::string&) { ADD_FAILURE() << "told after destruction"; });
  Bytes two = EncodeFrame(1, 1, "x");
  Append(two, View(EncodeFrame(1, 2, "y")));
  ASSERT_TRUE(WriteAll(ends_.second.get(), View(two)).ok());
  RunUntil([&] { return frames == 1; });
  loop_.context().poll();
  EXPECT_EQ(frames, 1);
}

TEST_F(ChannelTest, TellsNobodyWhenItIsDestroyedFirst) {
  auto left = std::make_unique<Channel>(loop_, std::move(ends_.first), 1 << 20);
  left->Start(Ignore(), [](const std::string&) { ADD_FAILURE(); });
  ASSERT_TRUE(left->Send(1, 1, "x"));
  ends_.second.Reset();
  left.reset();
  loop_.context().poll();
}

}  // namespace
}  // namespace nd::ipc
