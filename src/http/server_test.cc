#include "http/server.h"

#include <stdexcept>
#include <vector>

#include "http/server_fixture.h"

namespace nd::http {
namespace {

Response Text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Client client(Start());
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client.Send(Get("/hello")).Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /hello ");
    EXPECT_TRUE(answer.Has("Date: Sun, 06 Nov 1994 08:49:37 GMT"));
    EXPECT_TRUE(answer.Has("Content-Type: text/plain"));
    EXPECT_NE(answer.head.find("X-Request-Id: 00"), std::string::npos);
    EXPECT_EQ(answer.head.find("Server:"), std::string::npos);
    EXPECT_EQ(answer.head.find("Connection:"), std::string::npos);
  }
  EXPECT_EQ(table_->total(), 1U);
}

TEST_F(ServerTest, ClosesWhenAsked) {
  Client client(Start());
  const Answer answer = client.Send(Get("/hello", "Connection: close\r\n")).Read();
  EXPECT_TRUE(answer.Has("Connection: close"));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  application_.handlers["/wait"] = [this](Exchange& exchange) -> net::Task<> {
    co_await application_.release.Wait();
    exchange.Respond(Text("waited"));
  };
  Client client(Start());
  client.Send(Post("/body/1", "one") + Get("/wait") + ChunkedHead("/body/2") + "3\r\ntwo\r\n0\r\n\r\n" + Get("/three"));
  EXPECT_EQ(client.Read().body, "POST /body/1 one");
  Settle();
  OnLoop([this] { application_.release.Notify(); });
  EXPECT_EQ(client.Read().body, "waited");
  EXPECT_EQ(client.Read().body, "POST /body/2 two");
  EXPECT_EQ(client.Read().body, "GET /three ");
}

TEST_F(ServerTest, TakesARequestThatArrivesByteByByte) {
  Client client(Start());
  for (const char c : Post("/body", "slow")) {
    client.Send(std::string_view(&c, 1));
    Settle();
  }
  EXPECT_EQ(client.Read().body, "POST /body slow");
}

TEST_F(ServerTest, TakesABodyLargerThanItsBlock) {
  Client client(Start());
  const std::string body(3'000'000, 'x');
  EXPECT_EQ(client.Send(Post("/large", body)).Read().body, "POST /large " + body);
  EXPECT_EQ(client.Send(Get("/after")).Read().body, "GET /after ");
}

TEST_F(ServerTest, StopsHandlingAheadOfAClientThatDoesNotRead) {
  limits_.pipeline_output = 1'000;
  application_.handlers["/big"] = [](Exchange& exchange) -> net::Task<> {
    exchange.Respond(Text(std::string(200'000, 'b')));
    co_return;
  };
  Client client(Start(), Client::Mode::kSmallReceiveBuffer);
  constexpr int kRequests = 100;
  std::string input;
  for (int i = 0; i < kRequests; ++i) input += Get("/big");
  client.Send(input);
  Settle();
  EXPECT_LT(application_.admitted, kRequests);
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.Read().body.size(), 200'000U) << i;
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  Client client(Start());
  const Answer answer = client.Send("HEAD /hello HTTP/1.1\r\nHost: deck\r\n\r\n").Read(Client::Body::kNone);
  EXPECT_TRUE(answer.Has("Content-Length: 12"));
  EXPECT_EQ(client.Send(Get("/next")).Read().body, "GET /next ");
}

TEST_F(ServerTest, Answers204WithoutABody) {
  application_.handlers["/none"] = [](Exchange& exchange) -> net::Task<> {
    Response response = Text("dropped");
    response.status = 204;
    exchange.Respond(std::move(response));
    co_return;
  };
  Client client(Start());
  const Answer answer = client.Send(Get("/none")).Read();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(client.Send(Get("/next")).Read().body, "GET /next ");
}

TEST_F(ServerTest, RefusesMalformedRequestsAndCloses) {
  Start();
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nHost: deck\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {Get("/", "X: " + std::string(limits_.header_bytes, 'x') + "\r\n"), 431},
      {"GET /" + std::string(limits_.target_bytes, 'x') + " HTTP/1.1\r\nHost: deck\r\n\r\n", 414},
      {ChunkedHead("/body") + "0x1\r\n", 400},
      {ChunkedHead("/body") + "1;" + std::string(limits_.chunk_overhead, 'x'), 400},
  };
  for (const auto& [input, status] : cases) {
    Client client(port_);
    const Answer answer = client.Send(Get("/before") + input + Get("/smuggled")).Read();
    EXPECT_EQ(answer.body, "GET /before ");
    const Answer refusal = client.Read();
    EXPECT_EQ(refusal.status, status) << input.substr(0, 60);
    EXPECT_TRUE(refusal.Has("Connection: close"));
    EXPECT_EQ(refusal.body.substr(refusal.body.size() - 28, 2), "[0");  // a request id is there
    EXPECT_TRUE(client.AtEnd());
  }
}

TEST_F(ServerTest, HoldsABodyAgainstItsLimitBeforeReadingIt) {
  Client client(Start());
  EXPECT_EQ(client.Send(Post("/body", std::string(999, 'x'))).Read().status, 200);
  EXPECT_EQ(client.Send(Post("/body", std::string(1'000, 'x'))).Read().status, 200);
  // Refused by its announcement; small enough to be dropped so that the connection is kept.
  const Answer refusal = client.Send(PostHead("/body", 1'001)).Read();
  EXPECT_EQ(refusal.status, 413);
  EXPECT_FALSE(refusal.Has("Connection: close"));
  EXPECT_EQ(client.Send(std::string(1'001, 'x') + Get("/next")).Read().body, "GET /next ");
}

TEST_F(ServerTest, ClosesInsteadOfDrainingALargeRefusedBody) {
  Start();
  for (const auto& [path, status] : {std::pair{"/body", 413}, std::pair{"/nobody", 200}}) {
    Client small(port_);
    EXPECT_FALSE(small.Send(PostHead(path, limits_.drain_bytes)).Read().Has("Connection: close"));
    EXPECT_EQ(small.Send(std::string(limits_.drain_bytes, 'x') + Get("/next")).Read().body, "GET /next ");
    Client large(port_);
    const Answer answer = large.Send(PostHead(path, limits_.drain_bytes + 1)).Read();
    EXPECT_EQ(answer.status, status);
    EXPECT_TRUE(answer.Has("Connection: close"));
    EXPECT_TRUE(large.AtEnd());
  }
}

TEST_F(ServerTest, RefusesAChunkedBodyThatGrowsBeyondItsLimit) {
  Start();
  const auto chunked = [](std::size_t size) {
    return ChunkedHead("/body") + "a\r\n0123456789\r\n" +
           [&] {
             char line[32];
             std::snprintf(line, sizeof line, "%zx\r\n", size - 10);
             return std::string(line);
           }() +
           std::string(size - 10, 'x') + "\r\n0\r\n\r\n";
  };
  Client fitting(port_);
  EXPECT_EQ(fitting.Send(chunked(999)).Read().status, 200);
  EXPECT_EQ(fitting.Send(chunked(1'000)).Read().status, 200);
  const Answer refusal = fitting.Send(chunked(1'001)).Read();
  EXPECT_EQ(refusal.status, 413);
  EXPECT_TRUE(refusal.Has("Connection: close"));
  EXPECT_TRUE(fitting.AtEnd());
}

TEST_F(ServerTest, AsksForABodyOnlyAfterAdmittingIt) {
  Start();
  Client admitted(port_);
  admitted.Send(PostHead("/body", 5, "Expect: 100-continue\r\n"));
  EXPECT_EQ(admitted.Read().status, 100);
  EXPECT_EQ(admitted.Send("hello").Read().body, "POST /body hello");
  // Whoever does not wait is not told.
  EXPECT_EQ(admitted.Send(Post("/body", "hasty", "Expect: 100-continue\r\n")).Read().status, 200);

  for (const auto& [head, status] : {std::pair{PostHead("/nobody", 5, "Expect: 100-continue\r\n"), 200},
                                     std::pair{PostHead("/body", 1'001, "Expect: 100-continue\r\n"), 413}}) {
    Client refused(port_);
    const Answer answer = refused.Send(head).Read();
    EXPECT_EQ(answer.status, status);
    EXPECT_TRUE(answer.Has("Connection: close"));  // whether the body follows is anybody's guess
    EXPECT_TRUE(refused.AtEnd());
  }
}

TEST_F(ServerTest, LetsAClientReadItsRefusalWhileItStillSends) {
  Client client(Start());
  client.Send(PostHead("/body", 5'000'000));
  client.Send(std::string(5'000'000, 'x'));
  EXPECT_EQ(client.Read().status, 413);
  client.FinishSending();
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, Answers500ForAHandlerThatFails) {
  application_.handlers["/throws"] = [](Exchange&) -> net::Task<> {
    throw std::runtime_error("on purpose");
    co_return;
  };
  application_.handlers["/silent"] = [](Exchange&) -> net::Task<> { co_return; };
  application_.handlers["/twice"] = [](Exchange& exchange) -> net::Task<> {
    exchange.Respond(Text("first"));
    exchange.Respond(Text("second"));
    co_return;
  };
  Client client(Start());
  const Answer thrown = client.Send(Get("/throws")).Read();
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body.find("purpose"), std::string::npos);
  EXPECT_EQ(client.Send(Get("/silent")).Read().status, 500);
  EXPECT_EQ(client.Send(Get("/twice")).Read().body, "first");
  EXPECT_EQ(client.Send(Get("/next")).Read().body, "GET /next ");
}

TEST_F(ServerTest, StreamsAnAnswer) {
  application_.handlers["/stream"] = [](Exchange& exchange) -> net::Task<> {
    exchange.StartStream(Text(""));
    for (const char* part : {"one ", "", "two ", "three"}) {
      EXPECT_TRUE((co_await exchange.Write(part)).ok());
    }
    exchange.Finish();
  };
  Client client(Start());
  const Answer answer = client.Send(Get("/stream")).Read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, "one two three");
  const Answer head = client.Send("HEAD /stream HTTP/1.1\r\nHost: deck\r\n\r\n").Read(Client::Body::kNone);
  EXPECT_TRUE(head.Has("Transfer-Encoding: chunked"));
  EXPECT_EQ(client.Send(Get("/next")).Read().body, "GET /next ");
}

TEST_F(ServerTest, MakesAProducerWaitForASlowReader) {
  constexpr std::size_t kChunk = 64 * 1024;
  constexpr int kChunks = 512;
  std::atomic<int> written{0};
  application_.handlers["/stream"] = [&](Exchange& exchange) -> net::Task<> {
    exchange.StartStream(Text(""));
    for (int i = 0; i < kChunks; ++i) {
      if (!(co_await exchange.Write(std::string(kChunk, static_cast<char>('a' + i % 26)))).ok()) co_return;
      ++written;
    }
    exchange.Finish();
  };
  Client client(Start(), Client::Mode::kSmallReceiveBuffer);
  client.Send(Get("/stream"));
  Settle();
  EXPECT_LT(written, kChunks);
  const Answer answer = client.Read();
  EXPECT_TRUE(answer.whole);
  ASSERT_EQ(answer.body.size(), kChunk * kChunks);
  for (int i = 0; i < kChunks; ++i) ASSERT_EQ(answer.body[static_cast<std::size_t>(i) * kChunk], 'a' + i % 26);
}

TEST_F(ServerTest, BreaksAStreamThatWasNotFinished) {
  application_.handlers["/broken"] = [](Exchange& exchange) -> net::Task<> {
    exchange.StartStream(Text(""));
    (void)co_await exchange.Write("half");
  };
  Client client(Start());
  const Answer answer = client.Send(Get("/broken")).Read();
  EXPECT_EQ(answer.body, "half");
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(client.AtEnd());
}

}  // namespace
}  // namespace nd::http
