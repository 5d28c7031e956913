// How answers of a provider travel through the keeper: at once, clean of the key, as fast as the client reads.
#include <gmock/gmock.h>

#include "keeper/keeper_test_world.h"
#include "keeper/messages.h"

namespace nd::keeper {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kKey = "sk-live-abcdefghijklmnop1234";
constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

class RelayTest : public KeeperTest {
 protected:
  void StartWith(const StandIn& provider, UpstreamTimeouts timeouts = {}) {
    StartKeeper({"p=http://127.0.0.1:" + provider.port()}, timeouts);
    PutKey("p", "", kKey);
  }
};

TEST_F(RelayTest, PassesEachEventOnWhenItComes) {
  std::promise<void> go[3];
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    peer.Send(kStreamHead);
    for (int i = 0; i < 3; ++i) {
      if (i > 0) go[i].get_future().wait_for(kGiveUp);
      peer.SendChunk("data: " + std::to_string(i) + "\n\n");
    }
    peer.Send("0\r\n\r\n");
    peer.ReadRequest();
  });
  StartWith(provider);
  auto call = Start(Chat("p"));
  const auto head = Await(call->Head());
  ASSERT_TRUE(head.ok()) << head.error().detail;
  EXPECT_EQ(head->content_type, "text/event-stream");
  for (int i = 0; i < 3; ++i) {
    // The next event is sent only after this one has been received.
    const auto chunk = Await(call->Next());
    ASSERT_TRUE(chunk.ok() && chunk->has_value());
    EXPECT_EQ(**chunk, "data: " + std::to_string(i) + "\n\n");
    if (i < 2) go[i + 1].set_value();
  }
  const auto end = Await(call->Next());
  EXPECT_TRUE(end.ok() && !end->has_value());
  Drop(call);
}

TEST_F(RelayTest, EndsTheProvidersCallWhenTheClientCancels) {
  std::promise<void> closed;
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    peer.Send(kStreamHead);
    peer.SendChunk("data: 1\n\n");
    if (peer.SeesClose()) closed.set_value();
  });
  StartWith(provider);
  auto call = Start(Chat("p"));
  ASSERT_TRUE(Await(call->Head()).ok());
  ASSERT_TRUE(Await(call->Next()).ok());
  front_->Do([&] { call->Cancel(); });
  EXPECT_EQ(closed.get_future().wait_for(kGiveUp), std::future_status::ready);
  EXPECT_EQ(Await(call->Next()).error().kind, ErrorKind::kUnavailable);
  Drop(call);
}

TEST_F(RelayTest, EndsTheProvidersCallWhenTheCallIsDestroyed) {
  std::promise<void> asked, closed;
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    asked.set_value();
    if (peer.SeesClose()) closed.set_value();
  });
  StartWith(provider);
  auto call = Start(Chat("p"));
  asked.get_future().wait_for(kGiveUp);
  Drop(call);
  EXPECT_EQ(closed.get_future().wait_for(kGiveUp), std::future_status::ready);
}

TEST_F(RelayTest, WakesWhoeverWaitsWhenTheCallIsCancelled) {
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    peer.SeesClose();
  });
  StartWith(provider);
  auto call = Start(Chat("p"));
  front_->loop().Post([&] { call->Cancel(); });
  EXPECT_EQ(Await(call->Head()).error().kind, ErrorKind::kUnavailable);
  Drop(call);
}

TEST_F(RelayTest, PassesAnErrorAsACodeAndNeverItsText) {
  StandIn provider([](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      peer.Answer("401 Unauthorized",
                  R"({"error":{"message":"bad key )" + std::string(kKey) + R"(","code":"invalid_api_key"}})");
    }
  });
  StartWith(provider);
  EXPECT_EQ(Talk(Chat("p")), "401 application/json invalid_api_key");
}

TEST_F(RelayTest, PassesNoCodeOrMediaTypeThatIsTheKey) {
  const std::string word_key = "a_key_that_looks_like_a_code";
  StandIn provider([&](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      const std::string body = R"({"error":{"code":")" + word_key + R"("}})";
      peer.Send("HTTP/1.1 400 Bad\r\nContent-Type: application/" + word_key +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  });
  StartKeeper({"p=http://127.0.0.1:" + provider.port()});
  PutKey("p", "", word_key);
  EXPECT_EQ(Talk(Chat("p")), "400 application/octet-stream ");
}

TEST_F(RelayTest, TakesTheKeyOutOfAStreamHoweverItIsCut) {
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Send(kStreamHead);
    const std::string text = "data: " + std::string(kKey) + " and " + std::string(kKey) + "\n\n";
    for (const char& c : text) peer.SendChunk({&c, 1});
    peer.Send("0\r\n\r\n");
    peer.ReadRequest();
  });
  StartWith(provider);
  EXPECT_EQ(Talk(Chat("p")), "200 text/event-stream data: [redacted] and [redacted]\n\n");
}

TEST_F(RelayTest, PassesOnHowLongToWait) {
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Answer("429 Too Many", R"({"error":{"type":"rate_limit_exceeded"}})", "Retry-After: 17\r\n");
    peer.ReadRequest();
  });
  StartWith(provider);
  auto call = Start(Chat("p"));
  const auto head = Await(call->Head());
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->status, 429);
  EXPECT_EQ(head->error_code, "rate_limit_exceeded");
  EXPECT_EQ(head->retry_after_seconds, 17);
  Drop(call);
}

TEST_F(RelayTest, NeverFollowsARedirect) {
  StandIn elsewhere([](Peer& peer) { peer.ReadRequest(); });
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    peer.Answer("307 Temporary Redirect", "", "Location: http://127.0.0.1:" + elsewhere.port() + "/\r\n");
    peer.ReadRequest();
  });
  StartWith(provider);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(RelayTest, RefusesACompressedAnswer) {
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Answer("200 OK", "xxxx", "Content-Encoding: gzip\r\n");
    peer.ReadRequest();
  });
  StartWith(provider);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
}

TEST_F(RelayTest, ShowsThatAnAnswerBrokeOff) {
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Send(kStreamHead);
    peer.SendChunk("data: 1\n\n");
  });
  StartWith(provider);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("data: 1\n\n<error: "));
}

TEST_F(RelayTest, SendsAgainOnceWhenAPooledConnectionWasStale) {
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Answer("200 OK", std::to_string(peer.number()));
    // The second request on the first connection ends without a byte, as if the connection had been given up meanwhile.
    peer.ReadRequest();
    if (peer.number() > 0) peer.Answer("200 OK", "kept");
  });
  StartWith(provider);
  EXPECT_EQ(Talk(Chat("p")), "200 application/json 0");
  EXPECT_EQ(Talk(Chat("p")), "200 application/json 1");
  EXPECT_EQ(Talk(Chat("p")), "200 application/json kept");
  EXPECT_EQ(provider.connections(), 2);
}

TEST_F(RelayTest, SendsOnlyOnceOnAFreshConnection) {
  StandIn provider([](Peer& peer) { peer.ReadRequest(); });
  StartWith(provider);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
  EXPECT_EQ(provider.connections(), 1);
}

TEST_F(RelayTest, ReadsARefusalThatComesBeforeTheRequestIsRead) {
  StandIn provider([](Peer& peer) {
    char some[1024];
    recv(peer.fd(), some, sizeof some, 0);
    peer.Answer("413 Too Large", R"({"error":{"code":"too_long"}})");
    peer.SeesClose();
  });
  StartWith(provider);
  CallRequest request = Chat("p");
  request.body = std::string(4 << 20, ' ');
  EXPECT_EQ(Talk(std::move(request)), "413 application/json too_long");
}

TEST_F(RelayTest, GivesUpOnASilentProvider) {
  UpstreamTimeouts timeouts;
  timeouts.first_byte = std::chrono::milliseconds(30);
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.SeesClose();
  });
  StartWith(provider, timeouts);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("timed out"));
}

TEST_F(RelayTest, GivesUpOnAStreamThatStops) {
  UpstreamTimeouts timeouts;
  timeouts.idle = std::chrono::milliseconds(30);
  StandIn provider([](Peer& peer) {
    peer.ReadRequest();
    peer.Send(kStreamHead);
    peer.SendChunk("x");
    peer.SeesClose();
  });
  StartWith(provider, timeouts);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("x<error: "));
}

TEST_F(RelayTest, CarriesTheLargestBodyAndRefusesAByteMore) {
  std::promise<std::size_t> size;
  StandIn provider([&](Peer& peer) {
    size.set_value(peer.ReadRequest().size());
    peer.Answer("200 OK", "got it");
    peer.ReadRequest();
  });
  StartWith(provider);
  CallRequest request = Chat("p");
  request.body = std::string(kMaxRequestBody + 1, 'b');
  EXPECT_THAT(Talk(request), HasSubstr("too_large"));
  request.body.pop_back();
  EXPECT_EQ(Talk(std::move(request)), "200 application/json got it");
  EXPECT_GT(size.get_future().get(), kMaxRequestBody);
}

TEST_F(RelayTest, ASlowClientHoldsUpTheProviderAndNobodyElse) {
  constexpr std::size_t kTotal = 32 << 20;
  std::atomic<std::size_t> sent{0};
  std::promise<void> stuck;
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    if (peer.number() > 0) {
      peer.Answer("200 OK", "quick");
      peer.ReadRequest();
      return;
    }
    peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n");
    // A send that waits this long is held up.
    timeval patience{0, 300'000};
    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const std::string piece(64 * 1024, 'z');
    bool told = false;
    while (sent < kTotal) {
      const ssize_t size = send(peer.fd(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (size > 0) {
        sent += static_cast<std::size_t>(size);
      } else if (!std::exchange(told, true)) {
        stuck.set_value();
      }
    }
    peer.ReadRequest();
  });
  StartWith(provider);
  auto slow = Start(Chat("p"));
  ASSERT_TRUE(Await(slow->Head()).ok());
  ASSERT_EQ(stuck.get_future().wait_for(kGiveUp), std::future_status::ready);
  EXPECT_LT(sent.load(), kTotal - (8 << 20)) << "what the kernel's buffers and one window take, not more";
  EXPECT_EQ(Talk(Chat("p")), "200 application/json quick");
  EXPECT_EQ(ReadAll(*slow).size(), kTotal);
  Drop(slow);
}

TEST_F(RelayTest, ServesManyCallsAtOnce) {
  StandIn provider([](Peer& peer) {
    while (true) {
      const std::string request = peer.ReadRequest();
      if (request.empty()) return;
      peer.Answer("200 OK", request.substr(request.find("\r\n\r\n") + 4));
    }
  });
  StartWith(provider);
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 50; ++i) {
    CallRequest request = Chat("p");
    request.body = std::string(static_cast<std::size_t>(i) * 3'000, 'b') + std::to_string(i);
    calls.push_back(Start(std::move(request)));
  }
  for (int i = 0; i < 50; ++i) {
    auto& call = calls[static_cast<std::size_t>(i)];
    ASSERT_TRUE(Await(call->Head()).ok());
    EXPECT_EQ(ReadAll(*call), std::string(static_cast<std::size_t>(i) * 3'000, 'b') + std::to_string(i));
    Drop(call);
  }
}

}  // namespace
}  // namespace nd::keeper
