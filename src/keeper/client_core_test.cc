// The front's end of the channel before a keeper that does not read: a bare socket.
#include "keeper/client_core.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nd::keeper {
namespace {

class ClientCoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pair = ipc::MakePair();
    ASSERT_TRUE(pair.ok());
    keeper_ = std::move(pair->second);
    core_ = std::make_shared<ClientCore>(loop_, std::move(pair->first));
    core_->Start();
    core_->OnLost([this] { lost_ = true; });
  }
  void TearDown() override {
    core_->Shutdown();
    loop_.context().restart();
    loop_.context().poll();
  }

  // A call's id; 0 if it was refused.
  std::uint64_t Begin(std::size_t body) {
    CallRequest request;
    request.provider = "p";
    request.body.assign(body, 'b');
    const auto progress = std::make_shared<CallProgress>(loop_);
    const std::uint64_t id = core_->StartCall(std::move(request), progress);
    EXPECT_EQ(id == 0, progress->error.has_value());
    return id;
  }
  // Until not even a call without a body is taken, and the socket takes nothing more either.
  void FillWithBodies() {
    do {
      for (std::size_t body = kMaxRequestBody; body > 0; body /= 2) {
        while (Begin(body) != 0) {
        }
      }
      while (Begin(0) != 0) {
      }
      Poll();
    } while (Begin(0) != 0);
  }
  void Poll() {
    loop_.context().restart();
    loop_.context().poll();
  }
  // The keeper reads again: how many frames of each type come in all.
  std::map<Message, std::size_t> ReadAll() {
    std::map<Message, std::size_t> seen;
    for (bool more = true; more;) {
      Poll();
      more = false;
      for (;;) {
        const std::span<char> room = decoder_.Room();
        const ssize_t got = recv(keeper_.get(), room.data(), room.size(), MSG_DONTWAIT);
        if (got <= 0) break;
        more = true;
        decoder_.Commit(static_cast<std::size_t>(got));
        for (auto frame = decoder_.Next(); frame.ok() && frame->has_value(); frame = decoder_.Next()) {
          ++seen[static_cast<Message>((*frame)->type)];
        }
      }
    }
    return seen;
  }

  net::Loop loop_{0};
  UniqueFd keeper_;
  ipc::FrameDecoder decoder_;
  std::shared_ptr<ClientCore> core_;
  bool lost_ = false;
};

TEST_F(ClientCoreTest, CreditsAndCancelsFindRoomWhereBodiesFindNone) {
  std::vector<std::uint64_t> running;
  for (int i = 0; i < 512; ++i) running.push_back(Begin(0));
  FillWithBodies();
  for (const std::uint64_t id : running) {
    for (int i = 0; i < 4; ++i) core_->Credit(id, kCallWindow / 4);
    core_->CancelCall(id);
  }
  EXPECT_EQ(Begin(0), 0U) << "their room is not for calls";
  auto seen = ReadAll();
  EXPECT_EQ(seen[Message::kCallCredit], 4 * 512U);
  EXPECT_EQ(seen[Message::kCallCancel], 512U);
  EXPECT_FALSE(lost_);
  EXPECT_NE(Begin(kMaxRequestBody), 0U) << "once the keeper has read";
}

TEST_F(ClientCoreTest, AChannelWhoseControlRoomIsFullEndsAndNoCancelIsDroppedInSilence) {
  const std::size_t fits = kControlRoom / ipc::kFrameHeader;
  std::vector<std::uint64_t> running;
  for (std::size_t i = 0; i < fits + 100; ++i) running.push_back(Begin(0));
  FillWithBodies();
  for (std::size_t i = 0; i < fits; ++i) core_->CancelCall(running[i]);
  Poll();
  EXPECT_FALSE(lost_);
  for (std::size_t i = fits; i < running.size(); ++i) core_->CancelCall(running[i]);
  Poll();
  EXPECT_TRUE(lost_);
  EXPECT_EQ(Begin(0), 0U);
}

}  // namespace
}  // namespace nd::keeper
