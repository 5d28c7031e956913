// Deadlines, clients that go, connection limits, and stopping.
#include <sys/resource.h>

#include "http/server.h"
#include "http/server_fixture.h"

namespace nd::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = std::chrono::microseconds(1);

TEST_F(ServerTest, GivesAHeaderItsTimeAndNoMore) {
  Client client(Start());
  client.Send("GET / HTTP/1.1\r\nHost:");
  Advance(limits_.header_time);
  client.Send(" deck\r\nX: ");
  Advance(kTick);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_TRUE(answer.Has("Connection: close"));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, CountsTheHeaderTimeFromItsFirstByte) {
  Client client(Start());
  Advance(limits_.header_time * 2);  // waiting without a request is idle, not slow
  client.Send("GET / HTTP/1.1\r\n");
  Advance(limits_.header_time - 1ms);
  EXPECT_EQ(client.Send("Host: deck\r\n\r\n").Read().status, 200);
  client.Send("G");
  Advance(limits_.header_time);
  EXPECT_EQ(client.Send("ET / HTTP/1.1\r\nHost: deck\r\n\r\n").Read().status, 200);
}

TEST_F(ServerTest, WantsABodyAtItsRate) {
  Start();
  for (const std::size_t sent : {std::size_t{0}, limits_.body_bytes_per_second, 3 * limits_.body_bytes_per_second}) {
    const auto allowed = limits_.body_grace + 1s * static_cast<int>(sent / limits_.body_bytes_per_second);
    Client punctual(port_);
    Client late(port_);
    for (Client* client : {&punctual, &late}) {
      client->Send(PostHead("/large", sent + 1));
      Settle();
      client->Send(std::string(sent, 'x'));
    }
    Advance(allowed);
    EXPECT_EQ(punctual.Send("x").Read().status, 200) << sent;
    Advance(kTick);
    EXPECT_EQ(late.Read().status, 408) << sent;
    EXPECT_TRUE(late.AtEnd());
  }
}

TEST_F(ServerTest, WantsARefusedBodyAtItsRateToo) {
  Client client(Start());
  EXPECT_EQ(client.Send(PostHead("/body", 2'000)).Read().status, 413);
  Advance(limits_.body_grace + kTick);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, KeepsAnIdleConnectionForItsTime) {
  Start();
  Client used(port_);
  Client fresh(port_);
  EXPECT_EQ(used.Send(Get("/")).Read().status, 200);
  Advance(limits_.idle_time);
  EXPECT_EQ(used.Send(Get("/")).Read().status, 200);
  Advance(kTick);
  EXPECT_TRUE(fresh.AtEnd());
  Advance(limits_.idle_time);
  EXPECT_TRUE(used.AtEnd());
  EXPECT_EQ(table_->total(), 0U);
}

TEST_F(ServerTest, DoesNotCountTimeAgainstAHandler) {
  application_.handlers["/wait"] = [this](Exchange& exchange) -> net::Task<> {
    co_await application_.release.Wait();
    exchange.Respond({});
  };
  Client client(Start());
  client.Send(Get("/wait"));
  Advance(24h);
  OnLoop([this] { application_.release.Notify(); });
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ServerTest, ClosesOnAClientThatTakesNothing) {
  Event failed;
  application_.handlers["/stream"] = [&](Exchange& exchange) -> net::Task<> {
    exchange.StartStream({});
    const std::string chunk(64 * 1024, 'x');
    while ((co_await exchange.Write(chunk)).ok()) {
    }
    EXPECT_TRUE(exchange.client_gone());
    failed.Set();
  };
  Client client(Start(), Client::Mode::kSmallReceiveBuffer);
  client.Send(Get("/stream"));
  Advance(limits_.send_time);
  EXPECT_FALSE(failed.happened());
  // The kernels may still have passed something on meanwhile, which starts the time anew.
  for (int i = 0; i < 1'000 && !failed.happened(); ++i) Advance(limits_.send_time + kTick);
  EXPECT_TRUE(failed.happened());
}

TEST_F(ServerTest, DoesNotTakeASlowDownloadForIdle) {
  application_.handlers["/big"] = [](Exchange& exchange) -> net::Task<> {
    Response response;
    response.body.assign(30'000'000, 'x');
    exchange.Respond(std::move(response));
    co_return;
  };
  limits_.idle_time = 1s;
  Client client(Start(), Client::Mode::kSmallReceiveBuffer);
  client.Send(Get("/big"));
  Advance(5s);
  EXPECT_EQ(client.Read().body.size(), 30'000'000U);
}

TEST_F(ServerTest, EndsLingeringAfterItsTime) {
  Client client(Start());
  EXPECT_EQ(client.Send("GET / HTTP/1.0\r\n\r\n").Read().status, 505);
  Settle();
  EXPECT_EQ(table_->total(), 1U);  // still reading, so that the answer is not lost
  Advance(limits_.linger_time);
  EXPECT_EQ(table_->total(), 1U);
  Advance(kTick);
  EXPECT_EQ(table_->total(), 0U);
}

class ClientGoneTest : public ServerTest {
 protected:
  ClientGoneTest() {
    application_.handlers["/wait"] = [this](Exchange& exchange) -> net::Task<> {
      exchange.OnClientGone([this] {
        gone.Set();
        application_.release.Notify();
      });
      started.Set();
      co_await application_.release.Wait();
      EXPECT_EQ(exchange.client_gone(), gone.happened());
      Event late;
      exchange.OnClientGone([&late] { late.Set(); });
      EXPECT_EQ(late.happened(), gone.happened());
      Response response;
      response.body = "waited";
      exchange.Respond(std::move(response));
      ended.Set();
    };
  }

  Event started, gone, ended;
};

TEST_F(ClientGoneTest, TellsTheHandlerOfAClose) {
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  client.Close();
  EXPECT_TRUE(gone.Wait());
  EXPECT_TRUE(ended.Wait());
  Settle();
  EXPECT_EQ(table_->total(), 0U);
}

TEST_F(ClientGoneTest, TellsTheHandlerOfAReset) {
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  client.Reset();
  EXPECT_TRUE(gone.Wait());
  EXPECT_TRUE(ended.Wait());
}

TEST_F(ClientGoneTest, TellsTheHandlerAlsoBehindPipelinedBytes) {
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  client.Send("GET /next");
  Settle();
  EXPECT_FALSE(gone.happened());
  client.Close();
  EXPECT_TRUE(gone.Wait());
}

TEST_F(ClientGoneTest, StillAnswersAClientThatOnlyFinishedSending) {
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  client.FinishSending();
  EXPECT_TRUE(gone.Wait());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_TRUE(answer.Has("Connection: close"));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ClientGoneTest, KeepsWhatArrivesMeanwhile) {
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  client.Send(Get("/next"));
  Settle();
  OnLoop([this] { application_.release.Notify(); });
  EXPECT_EQ(client.Read().body, "waited");
  EXPECT_EQ(client.Read().body, "GET /next ");
}

TEST_F(ServerTest, HoldsConnectionsPerAddress) {
  limits_.connections_per_address = 3;
  Start();
  Client first(port_), second(port_), third(port_);
  for (Client* client : {&first, &second, &third}) EXPECT_EQ(client->Send(Get("/")).Read().status, 200);
  Client fourth(port_);
  EXPECT_TRUE(fourth.AtEnd());
  first.Close();
  Settle();
  Client fifth(port_);
  EXPECT_EQ(fifth.Send(Get("/")).Read().status, 200);
}

TEST(ConnectionTableTest, CountsPerAddressAndInTotal) {
  Limits limits;
  limits.connections_per_address = 2;
  limits.connections_total = 3;
  ConnectionTable table(limits);
  const auto at = [](const char* text) { return boost::asio::ip::make_address(text); };
  EXPECT_TRUE(table.Admit(at("2001:db8::1")));
  EXPECT_TRUE(table.Admit(at("2001:db8::2")));
  EXPECT_FALSE(table.Admit(at("2001:db8::3")));  // the same /64
  EXPECT_TRUE(table.Admit(at("192.0.2.1")));
  EXPECT_EQ(table.total(), 3U);
  EXPECT_FALSE(table.Admit(at("192.0.2.2")));
  table.Leave(at("2001:db8::ffff"));
  EXPECT_TRUE(table.Admit(at("::ffff:192.0.2.1")));
  EXPECT_FALSE(table.Admit(at("192.0.2.1")));
  EXPECT_EQ(table.total(), 3U);
}

#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer) || __has_feature(address_sanitizer)
#define ND_SANITIZER_NEEDS_FILES
#endif
#endif

TEST_F(ServerTest, GoesOnAcceptingAfterFilesWereShort) {
#ifdef ND_SANITIZER_NEEDS_FILES
  GTEST_SKIP() << "the sanitizer opens pipes to look at memory, and takes the lack of files for a bad pointer";
#endif
  Start();
  Client client(0);
  const int probe = dup(0);
  close(probe);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(probe);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  client.Connect(port_);
  client.Send(Get("/"));
  Settle();
  EXPECT_EQ(table_->total(), 0U);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ServerTest, StopsGracefully) {
  Event started, stopped;
  application_.handlers["/wait"] = [&](Exchange& exchange) -> net::Task<> {
    started.Set();
    co_await application_.release.Wait();
    exchange.Respond({});
  };
  Start();
  Client idle(port_), busy(port_), arriving(port_);
  EXPECT_EQ(idle.Send(Get("/")).Read().status, 200);
  arriving.Send("GET / HTTP/1.1\r\n");
  busy.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  Settle();
  OnLoop([&] { server_->StopGracefully(10s, [&] { stopped.Set(); }); });
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_FALSE(stopped.happened());
  OnLoop([this] { application_.release.Notify(); });
  const Answer answer = busy.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.Has("Connection: close"));
  const Answer last = arriving.Send("Host: deck\r\n\r\n").Read();
  EXPECT_EQ(last.status, 200);
  EXPECT_TRUE(last.Has("Connection: close"));
  busy.Close();
  arriving.Close();
  EXPECT_TRUE(stopped.Wait());
  EXPECT_EQ(table_->total(), 0U);
}

TEST_F(ServerTest, StopsAtOnceWithoutConnections) {
  Event stopped;
  Start();
  OnLoop([&] { server_->StopGracefully(10s, [&] { stopped.Set(); }); });
  EXPECT_TRUE(stopped.Wait());
}

TEST_F(ServerTest, LosesPatienceWhenStopping) {
  Event started, gone, stopped;
  application_.handlers["/wait"] = [&](Exchange& exchange) -> net::Task<> {
    exchange.OnClientGone([&] {
      gone.Set();
      application_.release.Notify();
    });
    started.Set();
    co_await application_.release.Wait();
  };
  Client client(Start());
  client.Send(Get("/wait"));
  ASSERT_TRUE(started.Wait());
  OnLoop([&] { server_->StopGracefully(10s, [&] { stopped.Set(); }); });
  Advance(10s);
  EXPECT_FALSE(stopped.happened());
  Advance(kTick);
  EXPECT_TRUE(stopped.Wait());
  EXPECT_TRUE(gone.Wait());
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, CanBeDestroyedInTheMiddleOfThings) {
  Event started, failed;
  application_.handlers["/stream"] = [&](Exchange& exchange) -> net::Task<> {
    exchange.StartStream({});
    started.Set();
    const std::string chunk(1'000'000, 'x');
    while ((co_await exchange.Write(chunk)).ok()) {
    }
    failed.Set();
  };
  Start();
  Client streaming(port_, Client::Mode::kSmallReceiveBuffer), idle(port_), arriving(port_);
  streaming.Send(Get("/stream"));
  arriving.Send(PostHead("/large", 100) + "x");
  ASSERT_TRUE(started.Wait());
  Settle();
  Shutdown();
  EXPECT_TRUE(failed.happened());
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(ServerTest, SaysThatAnAddressIsTaken) {
  Start();
  net::Loop other_loop(1);
  Server other(other_loop, application_, limits_, *table_, clock_, random_);
  const boost::asio::ip::tcp::endpoint taken(boost::asio::ip::address_v4::loopback(), port_);
  const auto listened = other.Listen(taken, false);
  ASSERT_FALSE(listened.ok());
  EXPECT_EQ(listened.error().kind, ErrorKind::kConflict);
  const auto foreign = other.Listen({boost::asio::ip::make_address("192.0.2.1"), 0}, false);
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error().kind, ErrorKind::kInvalidInput);
}

TEST_F(ServerTest, SharesAPortBetweenLoops) {
  net::Loop one(0), two(1);
  ConnectionTable table(limits_);
  Server first(one, application_, limits_, table, clock_, random_);
  Server second(two, application_, limits_, table, clock_, random_);
  ASSERT_TRUE(first.Listen({boost::asio::ip::address_v4::loopback(), 0}, true).ok());
  EXPECT_TRUE(second.Listen(first.local_endpoint(), true).ok());
}

TEST_F(ServerTest, ServesBothAddressFamiliesOnTheUnspecifiedAddress) {
  Start();
  std::uint16_t port = 0;
  OnLoop([&] {
    if (server_->Listen({boost::asio::ip::address_v6::any(), 0}, false).ok()) port = 1;
  });
  if (port == 0) GTEST_SKIP() << "no IPv6 on this machine";
}

}  // namespace
}  // namespace nd::http
