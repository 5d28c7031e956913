#include "app/admin_codec.h"

#include <gtest/gtest.h>

namespace nd::app {
namespace {

std::vector<AdminAct> OneOfEach() {
  std::vector<AdminAct> acts;
  acts.push_back(AddUser{"alice", session::Role::kAdmin, Secret("p\"\\\n\xc3\xa4")});
  acts.push_back(ListUsers{});
  acts.push_back(UpdateUser{"bob", session::Role::kViewer, true, Secret("next")});
  acts.push_back(UpdateUser{.user = "bob", .role = {}, .disabled = false, .password = {}});
  acts.push_back(UnlockUser{""});
  acts.push_back(NewSetupLink{});
  acts.push_back(ListUserSessions{"bob"});
  acts.push_back(EndUserSessions{"bob"});
  acts.push_back(CreateToken{"alice", "ci", {"model:*", "mcp"}, std::chrono::hours(24)});
  acts.push_back(ListTokens{""});
  acts.push_back(RevokeToken{"abc"});
  acts.push_back(ListKeys{});
  acts.push_back(SetKey{"openai", "", "team", Secret("sk-canary")});
  acts.push_back(DeleteKey{"openai", "bob"});
  acts.push_back(TestKey{"openai", ""});
  acts.push_back(ShowVault{});
  acts.push_back(CheckVault{});
  acts.push_back(RotateVault{});
  acts.push_back(RotateJwt{});
  return acts;
}

TEST(AdminCodec, EveryActSurvivesTheWire) {
  for (const AdminAct& act : OneOfEach()) {
    const Secret line = EncodeAct(act);
    EXPECT_EQ(line.ExposeSecret().find('\n'), std::string_view::npos);
    const auto back = DecodeAct(line.ExposeSecret());
    ASSERT_TRUE(back.ok()) << line.ExposeSecret() << ": " << back.error().public_text;
    EXPECT_EQ(back->index(), act.index());
    EXPECT_EQ(EncodeAct(*back).ExposeSecret(), line.ExposeSecret());
  }
}

TEST(AdminCodec, KeepsWhatMatters) {
  const auto back = DecodeAct(EncodeAct(UpdateUser{"bob", session::Role::kAuditor, {}, Secret("pw")}).ExposeSecret());
  ASSERT_TRUE(back.ok());
  const auto& act = std::get<UpdateUser>(*back);
  EXPECT_EQ(act.user, "bob");
  EXPECT_EQ(act.role, session::Role::kAuditor);
  EXPECT_FALSE(act.disabled.has_value());
  EXPECT_EQ(act.password->ExposeSecret(), "pw");
}

TEST(AdminCodec, RefusesEverythingElse) {
  for (const char* line :
       {"", "null", "[]", "{}", "{\"act\":\"user.list\"} x", "{\"act\":\"fly\"}", "{\"act\":5}",
        "{\"act\":\"user.list\",\"more\":1}", "{\"act\":\"user.list\",\"act\":\"user.list\"}",
        "{\"act\":\"user.add\",\"user\":\"a\",\"role\":\"king\",\"password\":\"p\"}",
        "{\"act\":\"user.add\",\"user\":\"a\",\"role\":\"admin\"}",
        "{\"act\":\"user.add\",\"user\":7,\"role\":\"admin\",\"password\":\"p\"}",
        "{\"act\":\"user.add\",\"user\":\"\",\"role\":\"admin\",\"password\":\"p\"}",
        "{\"act\":\"user.update\",\"user\":\"a\",\"disabled\":\"yes\"}",
        "{\"act\":\"token.create\",\"user\":\"a\",\"name\":\"n\",\"scopes\":[],\"seconds\":1}",
        "{\"act\":\"token.create\",\"user\":\"a\",\"name\":\"n\",\"scopes\":[\"mcp\"],\"seconds\":0}",
        "{\"act\":\"token.create\",\"user\":\"a\",\"name\":\"n\",\"scopes\":[[\"mcp\"]],\"seconds\":1}",
        "{\"act\":\"keys.set\",\"provider\":\"p\",\"owner\":\"\",\"label\":\"\",\"key\":\"\"}"}) {
    EXPECT_FALSE(DecodeAct(line).ok()) << line;
  }
}

TEST(AdminCodec, RequestsEndAt64KiB) {
  const std::string head = "{\"act\":\"user.list\"";
  const auto of_size = [&](std::size_t size) { return head + std::string(size - head.size() - 1, ' ') + "}"; };
  EXPECT_TRUE(DecodeAct(of_size(kMaxRequestLine - 1)).ok());
  EXPECT_TRUE(DecodeAct(of_size(kMaxRequestLine)).ok());
  EXPECT_FALSE(DecodeAct(of_size(kMaxRequestLine + 1)).ok());
}

TEST(AdminCodec, AnswersSurviveTheWire) {
  const Secret line = EncodeAnswer(Result<Secret>(Secret("{\"token\":\"nda_x\",\"n\":[1,2]}")));
  const auto back = DecodeAnswer(line.ExposeSecret());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->ExposeSecret(), "{\"token\":\"nda_x\",\"n\":[1,2]}");
}

TEST(AdminCodec, ErrorsKeepKindTextAndDetail) {
  for (const Error& error :
       {Conflict("There is one already.", "bob"), NotFound("No such user."), Forbidden("No."), Internal("why")}) {
    const auto back = DecodeAnswer(EncodeAnswer(Result<Secret>(Error(error))).ExposeSecret());
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().kind, error.kind);
    EXPECT_EQ(back.error().public_text, error.public_text);
    EXPECT_EQ(back.error().detail, error.detail);
  }
}

TEST(AdminCodec, AForeignAnswerIsAnInternalError) {
  for (const char* line :
       {"", "{}", "{\"answer\":1}", "{\"answer\":{},\"error\":{}}", "{\"error\":5}", "HTTP/1.1 400"}) {
    EXPECT_FALSE(DecodeAnswer(line).ok()) << line;
  }
}

}  // namespace
}  // namespace nd::app
