#include "keeper/keeper.h"

#include <gmock/gmock.h>

#include "keeper/keeper_test_world.h"

namespace nd::keeper {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kKey = "sk-live-abcdefghijklmnop1234";
constexpr std::string_view kOtherKey = "sk-live-qrstuvwxyz567890wxyz";

std::string Local(const StandIn& provider) { return "p=http://127.0.0.1:" + provider.port(); }

StandIn::Script AnswerEach(const std::string& status, const std::string& body, const std::string& headers = {}) {
  return [=](Peer& peer) {
    while (!peer.ReadRequest().empty()) peer.Answer(status, body, headers);
  };
}

TEST_F(KeeperTest, KeepsAKeyAndShowsOnlyItsEnd) {
  StartKeeper({"p=https://host"});
  const auto put = Await(client_->PutKey("p", "alice", "work", Secret(kKey)));
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(put->last4, "1234");
  const auto keys = Await(client_->ListKeys());
  ASSERT_TRUE(keys.ok());
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ((*keys)[0].provider, "p");
  EXPECT_EQ((*keys)[0].owner, "alice");
  EXPECT_EQ((*keys)[0].label, "work");
  EXPECT_EQ((*keys)[0].last4, "1234");
  EXPECT_FALSE((*keys)[0].last_used_at);
  EXPECT_TRUE(Await(client_->DeleteKey("p", "alice")).ok());
  EXPECT_EQ(Await(client_->DeleteKey("p", "alice")).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(Await(client_->ListKeys())->empty());
}

TEST_F(KeeperTest, WhenAKeyWasUsedIsKnownAfterAnOrderlyStop) {
  StandIn provider(AnswerEach("200 OK", "{}"));
  StartKeeper({Local(provider)});
  PutKey("p", "", kKey);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("200"));
  const auto used = (*Await(client_->ListKeys()))[0].last_used_at;
  ASSERT_TRUE(used);
  StopKeeper();
  StartKeeper({Local(provider)});
  EXPECT_EQ((*Await(client_->ListKeys()))[0].last_used_at, used);
}

TEST_F(KeeperTest, WhenAKeyWasUsedIsWrittenFromTimeToTime) {
  StandIn provider(AnswerEach("200 OK", "{}"));
  use_flush_interval_ = std::chrono::milliseconds(1);
  StartKeeper({Local(provider)});
  PutKey("p", "", kKey);
  const auto before = Await(client_->Status())->generation;
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("200"));
  const auto deadline = std::chrono::steady_clock::now() + kGiveUp;
  while (Await(client_->Status())->generation == before && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(Await(client_->Status())->generation, before + 1);
}

TEST_F(KeeperTest, TellsNothingOfAShortKey) {
  StartKeeper({"p=https://host"});
  EXPECT_EQ(Await(client_->PutKey("p", "", "", Secret("fifteen-chars-x")))->last4, "");
  EXPECT_EQ(Await(client_->PutKey("p", "", "", Secret("sixteen-chars-xy")))->last4, "s-xy");
}

TEST_F(KeeperTest, RefusesWhatCannotBeAKeyAndProvidersItDoesNotKnow) {
  StartKeeper({"p=https://host"});
  EXPECT_EQ(Await(client_->PutKey("p", "", "", Secret("short12"))).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(Await(client_->PutKey("p", "", "", Secret("key with spaces"))).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(Await(client_->PutKey("p", "", std::string(129, 'l'), Secret(kKey))).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_EQ(Await(client_->PutKey("q", "", "", Secret(kKey))).error().kind, ErrorKind::kNotFound);
}

TEST_F(KeeperTest, ListsItsProvidersAndTheStateOfTheVault) {
  StartKeeper({"openai=https://api.openai.com", "anthropic=https://api.anthropic.com"});
  const auto providers = Await(client_->ListProviders());
  ASSERT_EQ(providers->size(), 2U);
  EXPECT_EQ((*providers)[1].name, "anthropic");
  EXPECT_EQ((*providers)[1].protocol, Protocol::kAnthropic);
  PutKey("openai", "", kKey);
  const auto before = Await(client_->Status());
  const auto after = Await(client_->Rotate());
  const auto checked = Await(client_->Check());
  ASSERT_TRUE(before.ok() && after.ok() && checked.ok());
  EXPECT_EQ(checked->generation, after->generation);
  EXPECT_TRUE(checked->unreadable.empty());
  EXPECT_EQ(before->records, 1U);
  EXPECT_EQ(before->root_key_source, "file");
  EXPECT_NE(before->root_key_id, after->root_key_id);
  EXPECT_EQ(before->vault_id, after->vault_id);
}

TEST_F(KeeperTest, RefusesTwoProvidersOfOneName) {
  StartKeeper({});
  KeeperOptions options;
  options.providers = {*ProviderConfig::Parse("p=https://a"), *ProviderConfig::Parse("p=https://b")};
  net::Loop loop(0);
  EXPECT_EQ(Keeper::Create(loop, *vault_, options, clock_, random_).error().kind, ErrorKind::kInvalidInput);
}

TEST_F(KeeperTest, SendsTheKeyAndNothingOfTheClientsButTheBody) {
  std::promise<std::string> request;
  StandIn provider([&](Peer& peer) {
    request.set_value(peer.ReadRequest());
    peer.Answer("200 OK", R"({"ok":1})");
  });
  StartKeeper({Local(provider)});
  PutKey("p", "", kKey);
  CallRequest call = Chat("p");
  call.body = R"({"model":"m"})";
  call.headers = {{"Cookie", "session"}, {"Authorization", "Bearer theirs"}};
  EXPECT_EQ(Talk(std::move(call)), "200 application/json {\"ok\":1}");
  EXPECT_EQ(request.get_future().get(),
            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + provider.port() +
                "\r\nUser-Agent: neuraldeck\r\nAuthorization: Bearer " + std::string(kKey) +
                "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
                "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"model\":\"m\"}");
  EXPECT_TRUE((*Await(client_->ListKeys()))[0].last_used_at);
}

TEST_F(KeeperTest, PrefersTheUsersOwnKeyToTheGlobalOne) {
  StandIn provider([](Peer& peer) {
    while (true) {
      const std::string request = peer.ReadRequest();
      if (request.empty()) return;
      peer.Answer("200 OK", request.find(kOtherKey) != std::string::npos ? "own" : "global");
    }
  });
  StartKeeper({Local(provider)});
  PutKey("p", "", kKey);
  PutKey("p", "alice", kOtherKey);
  EXPECT_EQ(Talk(Chat("p", "alice")), "200 application/json own");
  EXPECT_EQ(Talk(Chat("p", "bob")), "200 application/json global");
  EXPECT_EQ(Talk(Chat("p", "")), "200 application/json global");
  EXPECT_EQ(provider.connections(), 1) << "kept alive between calls";
}

TEST_F(KeeperTest, DoesNotCallWithoutAKeyOrAProvider) {
  StandIn provider(AnswerEach("200 OK", ""));
  StartKeeper({Local(provider)});
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("not_found"));
  EXPECT_THAT(Talk(Chat("nobody")), HasSubstr("not_found"));
  PutKey("p", "alice", kKey);
  EXPECT_THAT(Talk(Chat("p", "bob")), HasSubstr("not_found"));
  CallRequest messages = Chat("p");
  messages.endpoint = Endpoint::kMessages;
  EXPECT_THAT(Talk(std::move(messages)), HasSubstr("invalid_request"));
  EXPECT_EQ(provider.connections(), 0);
}

TEST_F(KeeperTest, KeepsAFrontsSecretsAcrossRestarts) {
  StartKeeper({});
  const auto first = Await(client_->GetFrontSecrets());
  ASSERT_TRUE(first.ok()) << first.error().detail;
  StopKeeper();
  StartKeeper({});
  const auto second = Await(client_->GetFrontSecrets());
  EXPECT_EQ(first->jwt[0].first, second->jwt[0].first);
  EXPECT_EQ(first->jwt[0].second, second->jwt[0].second);
  EXPECT_EQ(first->csrf, second->csrf);
  EXPECT_EQ(first->refresh, second->refresh);
  EXPECT_EQ(first->log_hash, second->log_hash);
  EXPECT_EQ(first->deck_id, second->deck_id);
  EXPECT_FALSE(first->csrf == first->refresh);
  EXPECT_EQ(first->csrf.size(), 32U);
  EXPECT_TRUE(Await(client_->ListKeys())->empty()) << "not provider keys";
}

TEST_F(KeeperTest, RotatesTheSigningKeyAndKeepsTheOldOne) {
  StartKeeper({});
  const auto before = Await(client_->GetFrontSecrets());
  const auto after = Await(client_->RotateJwt());
  ASSERT_TRUE(after.ok());
  ASSERT_EQ(after->jwt.size(), 2U);
  EXPECT_NE(after->jwt[0].first, before->jwt[0].first);
  EXPECT_EQ(after->jwt[1].first, before->jwt[0].first);
  EXPECT_EQ(after->jwt[1].second, before->jwt[0].second);
}

TEST_F(KeeperTest, TestsAKeyWithAWord) {
  StandIn good(AnswerEach("200 OK", R"({"data":[]})"));
  StandIn rejecting(AnswerEach("401 Unauthorized", "{}"));
  StandIn broken(AnswerEach("500 Oops", "{}"));
  StandIn redirecting(AnswerEach("302 Found", "", "Location: http://127.0.0.1:1/\r\n"));
  std::string closed_port;
  {
    closed_port = StandIn([](Peer&) {}).port();
  }
  StartKeeper({"a=http://127.0.0.1:" + good.port(), "b=http://127.0.0.1:" + rejecting.port(),
               "c=http://127.0.0.1:" + broken.port(), "d=http://127.0.0.1:" + redirecting.port(),
               "e=http://127.0.0.1:" + closed_port});
  for (const char* name : {"a", "b", "c", "d", "e"}) PutKey(name, "", kKey);
  EXPECT_EQ(*Await(client_->TestKey("a", "alice")), "ok");
  EXPECT_EQ(*Await(client_->TestKey("b", "alice")), "rejected");
  EXPECT_EQ(*Await(client_->TestKey("c", "alice")), "error");
  EXPECT_EQ(*Await(client_->TestKey("d", "alice")), "error");
  EXPECT_EQ(*Await(client_->TestKey("e", "alice")), "unreachable");
  EXPECT_EQ(Await(client_->TestKey("f", "alice")).error().kind, ErrorKind::kNotFound);
}

TEST_F(KeeperTest, FailsEverythingPendingWhenItGoes) {
  std::promise<void> asked;
  StandIn provider([&](Peer& peer) {
    peer.ReadRequest();
    asked.set_value();
    peer.SeesClose();
  });
  StartKeeper({Local(provider)});
  PutKey("p", "", kKey);
  std::promise<void> lost;
  front_->Do([&] { client_->OnLost([&] { lost.set_value(); }); });
  auto call = Start(Chat("p"));
  asked.get_future().wait_for(kGiveUp);
  back_->Do([&] { keeper_.reset(); });
  const auto head = Await(call->Head());
  ASSERT_FALSE(head.ok());
  EXPECT_EQ(head.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(lost.get_future().wait_for(kGiveUp), std::future_status::ready);
  EXPECT_EQ(Await(client_->Status()).error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
  Drop(call);
}

TEST_F(KeeperTest, ClosesAChannelThatBreaksTheProtocolAndServesTheOthers) {
  StartKeeper({"p=https://host"});
  const std::vector<ipc::Bytes> breaches = {
      ipc::EncodeFrame(200, 1, ""),                // unknown type
      ipc::EncodeFrame(7, 0, ""),                  // id zero
      ipc::EncodeFrame(7, 1, "left over"),         // bytes after the last field
      ipc::EncodeFrame(4, 1, "\xff\xff\xff\xff"),  // a text beyond the payload
      ipc::EncodeFrame(64, 1, ""),                 // a reply
      ipc::Bytes{'\xff', '\xff', '\xff', '\x7f'},  // a length out of bounds
  };
  for (std::size_t i = 0; i < breaches.size(); ++i) {
    auto pair = ipc::MakePair();
    back_->Do([&] { keeper_->AddChannel(std::move(pair->first)); });
    ASSERT_TRUE(WriteAll(pair->second.get(), ipc::View(breaches[i])).ok());
    char byte = 0;
    EXPECT_EQ(read(pair->second.get(), &byte, 1), 0) << i;
  }
  EXPECT_TRUE(Await(client_->Status()).ok());
}

TEST_F(KeeperTest, TellsWhenTheLastFrontHasGone) {
  StartKeeper({});
  std::promise<void> alone;
  back_->Do([&] { keeper_->OnAlone([&] { alone.set_value(); }); });
  front_->Do([&] { client_.reset(); });
  EXPECT_EQ(alone.get_future().wait_for(kGiveUp), std::future_status::ready);
}

}  // namespace
}  // namespace nd::keeper
