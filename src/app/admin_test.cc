// The administrator's acts against real stores in a folder of their own, directly and over the control socket.

#include "app/admin.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "app/admin_codec.h"
#include "app/control_server.h"
#include "app/local_admin.h"
#include "app/local_socket.h"
#include "app/remote_admin.h"
#include "app/settings.h"
#include "app/state_folder.h"
#include "app/test_folder.h"
#include "app/vault_access.h"
#include "audit/reader.h"
#include "base/json.h"
#include "ipc/channel.h"
#include "session/sqlite_store.h"

namespace nd::app {
namespace {

constexpr session::PasswordCost kCheapest{1, 8'192};

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    const auto values = ResolveSettings({{"workspace", {folder_.path() + "/work"}},
                                         {"root-key-dir", {keys_.path() + "/keys"}},
                                         {"provider", {"local=openai:http://127.0.0.1:9/v1"}}},
                                        {});
    options_ = *BuildOptions(*values, {});
  }

  Result<std::unique_ptr<Admin>> Open(EnvironmentSecrets secrets = {}) {
    return OpenLocally(options_, std::move(secrets), "cli:tester", kCheapest, clock_, random_);
  }
  // One command: opened, done, closed.
  Result<Secret> Do(AdminAct act, EnvironmentSecrets secrets = {}) {
    auto admin = Open(std::move(secrets));
    if (!admin.ok()) return std::move(admin).error();
    return (*admin)->Do(std::move(act));
  }
  std::string Text(AdminAct act) {
    const auto answer = Do(std::move(act));
    EXPECT_TRUE(answer.ok()) << DescribeForTest(answer);
    return answer.ok() ? std::string(answer->ExposeSecret()) : "";
  }
  ErrorKind KindOf(AdminAct act, EnvironmentSecrets secrets = {}) {
    const auto answer = Do(std::move(act), std::move(secrets));
    EXPECT_FALSE(answer.ok());
    return answer.ok() ? ErrorKind::kInternal : answer.error().kind;
  }
  static std::string DescribeForTest(const Result<Secret>& answer) {
    return answer.ok() ? "" : answer.error().public_text + " " + answer.error().detail;
  }
  // Records with `action`, newest first.
  std::vector<std::string> Records(std::string_view action) {
    const auto page = audit::Reader(StateFolder(options_.data_dir).audit()).Read({.limit = 1'000, .cursor = {}});
    std::vector<std::string> found;
    for (const std::string& record : page->records) {
      if (record.find("\"action\":\"" + std::string(action) + "\"") != std::string::npos) found.push_back(record);
    }
    return found;
  }
  static bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
  AddUser Alice() { return AddUser{"Alice", session::Role::kAdmin, Secret("four unrelated words")}; }

  TestFolder folder_, keys_;
  Options options_;
  SystemClock clock_;
  SystemRandom random_;
};

TEST_F(AdminTest, AddsUsersDurablyAndWritesBothRecords) {
  const std::string answer = Text(Alice());
  EXPECT_TRUE(Has(answer, "\"userId\":\"alice\"")) << answer;
  EXPECT_TRUE(Has(Text(ListUsers{}), "\"userId\":\"alice\""));
  const auto records = Records("create");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(Has(records[1], "\"phase\":\"intent\""));
  EXPECT_TRUE(Has(records[0], "\"outcome\":\"success\""));
  EXPECT_TRUE(Has(records[0], "\"id\":\"cli:tester\""));
  EXPECT_FALSE(Has(records[0], "unrelated"));
}

TEST_F(AdminTest, ACommandNeitherLooksLikeAStartNorDeletesRecordsThatTheServerKeeps) {
  const std::string audit = StateFolder(options_.data_dir).audit();
  ASSERT_TRUE(StateFolder(options_.data_dir).Prepare().ok());
  {
    const ManualClock long_ago(clock_.Now() - std::chrono::hours(24 * 90));
    audit::Options options;
    options.directory = audit;
    ASSERT_TRUE(audit::Log::Open(options, long_ago).ok());
  }
  Text(Alice());
  EXPECT_EQ(Records("create").size(), 2U);
  EXPECT_EQ(Records("start").size(), 1U);
  EXPECT_EQ(Records("stop").size(), 1U);
  EXPECT_TRUE(Records("retention").empty());
}

TEST_F(AdminTest, ActsThatOnlyReadLeaveTheAuditLogAlone) {
  // Nobody can write there.
  ASSERT_TRUE(StateFolder(options_.data_dir).Prepare().ok());
  const FileLock lock = *FileLock::Acquire(StateFolder(options_.data_dir).audit() + "/lock");
  Text(ListUsers{});
  Text(ListUserSessions{""});
  Text(ListTokens{""});
  Text(ListKeys{});
  Text(ShowVault{});
  Text(CheckVault{});
  EXPECT_EQ(KindOf(Alice()), ErrorKind::kConflict);
}

TEST_F(AdminTest, ARefusedActIsRecordedAsFailed) {
  Text(Alice());
  EXPECT_EQ(KindOf(Alice()), ErrorKind::kConflict);
  EXPECT_TRUE(Has(Records("create").front(), "\"outcome\":\"failure\",\"reason\":\"conflict\""));
}

TEST_F(AdminTest, ChangesUsers) {
  Text(Alice());
  Text(AddUser{"bob", session::Role::kViewer, Secret("four unrelated words")});
  EXPECT_TRUE(Has(Text(UpdateUser{"bob", session::Role::kAuditor, {}, {}}), "\"role\":\"auditor\""));
  EXPECT_TRUE(Has(Text(UpdateUser{.user = "bob", .role = {}, .disabled = true, .password = {}}), "\"disabled\":true"));
  EXPECT_TRUE(Has(
      Text(UpdateUser{.user = "bob", .role = {}, .disabled = {}, .password = Secret("other unrelated words")}), "bob"));
  EXPECT_EQ(KindOf(UpdateUser{.user = "alice", .role = {}, .disabled = true, .password = {}}), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(UpdateUser{.user = "nobody", .role = {}, .disabled = true, .password = {}}), ErrorKind::kNotFound);
  EXPECT_TRUE(Has(Text(UnlockUser{""}), "success"));
  EXPECT_EQ(KindOf(EndUserSessions{"nobody"}), ErrorKind::kNotFound);
  EXPECT_TRUE(Has(Text(EndUserSessions{"bob"}), "\"ended\":0"));
  EXPECT_EQ(Text(ListUserSessions{""}), "{\"sessions\":[]}");
}

TEST_F(AdminTest, CreatesListsAndRevokesTokens) {
  Text(Alice());
  const std::string made = Text(CreateToken{"alice", "ci", {"model:*", "mcp"}, std::chrono::hours(1)});
  const auto document = ParseJson(made);
  const std::string token(document->root().at("token").as_string());
  const std::string id(document->root().at("id").as_string());
  EXPECT_TRUE(token.starts_with("nda_" + id + "_"));
  const std::string listed = Text(ListTokens{"alice"});
  EXPECT_TRUE(Has(listed, id));
  EXPECT_FALSE(Has(listed, token));
  EXPECT_TRUE(Has(Text(RevokeToken{id}), id));
  EXPECT_EQ(Text(ListTokens{""}), "{\"tokens\":[]}");
  EXPECT_EQ(KindOf(RevokeToken{id}), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(CreateToken{"alice", "ci", {"fly:*"}, std::chrono::hours(1)}), ErrorKind::kInvalidInput);
  EXPECT_FALSE(Has(Records("create_token").front(), token));
}

TEST_F(AdminTest, KeysGoInAndOnlyTheirEndsComeOut) {
  Text(Alice());
  const std::string set = Text(SetKey{"local", "", "team", Secret("sk-canary-0123456789abcdef")});
  EXPECT_TRUE(Has(set, "\"last4\":\"cdef\"")) << set;
  Text(SetKey{"LOCAL", "alice", "", Secret("sk-alice-0123456789abcdwxyz")});
  const std::string listed = Text(ListKeys{});
  EXPECT_TRUE(Has(listed, "\"owner\":\"alice\""));
  EXPECT_FALSE(Has(listed, "canary"));
  EXPECT_EQ(KindOf(SetKey{"unknown", "", "", Secret("sk-canary-0123456789abcdef")}), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(SetKey{"local", "nobody", "", Secret("sk-canary-0123456789abcdef")}), ErrorKind::kNotFound);
  Text(DeleteKey{"local", ""});
  EXPECT_EQ(KindOf(DeleteKey{"local", ""}), ErrorKind::kNotFound);
}

TEST_F(AdminTest, TestingAKeySaysThatNobodyAnswers) {
  Text(SetKey{"local", "", "", Secret("sk-canary-0123456789abcdef")});
  EXPECT_TRUE(Has(Text(TestKey{"local", ""}), "\"result\":\"unreachable\""));
}

TEST_F(AdminTest, TheVaultIsShownCheckedAndRotated) {
  Text(SetKey{"local", "", "", Secret("sk-canary-0123456789abcdef")});
  const std::string before = Text(ShowVault{});
  EXPECT_TRUE(Has(before, "\"rootKeySource\":\"file\""));
  EXPECT_TRUE(Has(Text(CheckVault{}), "\"unreadable\":[]"));
  const std::string after = Text(RotateVault{});
  const auto root_key = [](const std::string& text) {
    return std::string(ParseJson(text)->root().at("rootKeyId").as_string());
  };
  EXPECT_NE(root_key(before), root_key(after));
  EXPECT_TRUE(Has(Text(ListKeys{}), "\"status\":\"ok\""));
}

TEST_F(AdminTest, TheSigningKeyIsRotatedUnlessItWasGivenByHand) {
  EXPECT_TRUE(Has(Text(RotateJwt{}), "\"verifyingKeys\":2"));
  EnvironmentSecrets secrets;
  secrets.jwt_secret = Secret("q0J3uQ0R1mZ5b8T4kW7xY2cV6nL9pD1sF3gH5jK7aE8rB0tN");
  EXPECT_EQ(KindOf(RotateJwt{}, std::move(secrets)), ErrorKind::kConflict);
}

TEST_F(AdminTest, ASetupLinkNeedsAServer) { EXPECT_EQ(KindOf(NewSetupLink{}), ErrorKind::kConflict); }

TEST_F(AdminTest, OnlyOneAtATime) {
  const auto first = Open();
  ASSERT_TRUE(first.ok());
  const auto second = Open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
}

TEST_F(AdminTest, AnotherRootKeyOpensNothing) {
  Text(Alice());
  EnvironmentSecrets secrets;
  secrets.root_key = Secret(std::string(64, 'a'));
  EXPECT_EQ(KindOf(ListUsers{}, std::move(secrets)), ErrorKind::kInvalidInput);
}

TEST_F(AdminTest, AFolderOpenToOthersIsRefused) {
  Text(Alice());
  ASSERT_EQ(chmod(options_.data_dir.c_str(), 0755), 0);
  const auto opened = Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kForbidden);
  EXPECT_TRUE(Has(opened.error().public_text, "chmod 700"));
}

// The control socket before the same stores, served by a thread as the front does.
class ControlTest : public AdminTest {
 protected:
  void SetUp() override {
    const StateFolder state(options_.data_dir);
    ASSERT_TRUE(state.Prepare().ok());
    path_ = state.control_socket();
    opened_ = *OpenVaultOf(options_, Secret(), clock_, random_);
    keeper_ = *keeper::Keeper::Create(loop_, *opened_.vault, *KeeperOptionsOf(options_), clock_, random_);
    auto ends = *ipc::MakePair();
    keeper_->AddChannel(std::move(ends.first));
    client_ = keeper::Client::Create(loop_, std::move(ends.second));
    session::Keys keys;
    keys.jwt.push_back({"k", Secret(std::string(32, 'j'))});
    keys.csrf = Secret(std::string(32, 'c'));
    keys.refresh = Secret(std::string(32, 'r'));
    keys.log_hash = Secret(std::string(32, 'l'));
    sessions_ = *session::Sessions::Open(*session::OpenSqliteStore(state.database()), std::move(keys),
                                         SessionOptionsOf(options_, "deck"), kCheapest, clock_, random_);
    audit::Options audit_options;
    audit_options.directory = state.audit();
    audit_ = *audit::Log::Open(std::move(audit_options), clock_);
    trail_ = std::make_unique<server::AuditTrail>(*audit_, 1);
    world_ = std::make_unique<AdminWorld>(AdminWorld{loop_, *sessions_, *trail_, *client_, worker_, worker_,
                                                     std::chrono::seconds(900), AdminWorld::JwtKey::kFromVault,
                                                     "http://127.0.0.1:3001"});
    server_ = *ControlServer::Start(*world_, path_);
    thread_ = std::thread([this] { loop_.Run(); });
  }

  void TearDown() override {
    loop_.Post([this] {
      server_->Stop();
      loop_.Stop();
    });
    thread_.join();
    client_.reset();
    keeper_.reset();
    loop_.context().restart();
    loop_.context().poll();
  }

  Result<Secret> Ask(AdminAct act) {
    auto admin = ConnectToServer(path_);
    if (!admin.ok()) return std::move(admin).error();
    return (*admin)->Do(std::move(act));
  }
  // What the server says to raw bytes; empty if it just closes.
  std::string AskRaw(const std::string& bytes) {
    const UniqueFd connection = *ConnectLocally(path_);
    (void)send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(connection.get(), SHUT_WR);
    std::string answer;
    char part[4'096];
    for (ssize_t got = 0; (got = recv(connection.get(), part, sizeof part, 0)) > 0;)
      answer.append(part, static_cast<std::size_t>(got));
    return answer;
  }

  std::string path_;
  net::Loop loop_{0};
  OpenVault opened_;
  std::unique_ptr<keeper::Keeper> keeper_;
  std::unique_ptr<keeper::Client> client_;
  std::unique_ptr<session::Sessions> sessions_;
  std::unique_ptr<audit::Log> audit_;
  std::unique_ptr<server::AuditTrail> trail_;
  Worker worker_{1, 16};
  std::unique_ptr<AdminWorld> world_;
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
};

TEST_F(ControlTest, TheServerDoesWhatItIsAsked) {
  const auto added = Ask(Alice());
  ASSERT_TRUE(added.ok()) << DescribeForTest(added);
  EXPECT_TRUE(Has(added->ExposeSecret(), "alice"));
  const auto again = Ask(Alice());
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
  const auto key = Ask(SetKey{"local", "alice", "", Secret("sk-canary-0123456789abcdef")});
  EXPECT_TRUE(key.ok()) << DescribeForTest(key);
  EXPECT_TRUE(Ask(RotateJwt{}).ok());
  EXPECT_TRUE(Has(Ask(CheckVault{})->ExposeSecret(), "\"unreadable\":[]"));
}

TEST_F(ControlTest, WhatAKeeperThatIsGoneMayHaveDoneIsRecordedAsUnknown) {
  std::promise<void> closed;
  loop_.Post([&] {
    client_->Close();
    closed.set_value();
  });
  closed.get_future().wait();
  EXPECT_EQ(Ask(RotateVault{}).error().kind, ErrorKind::kUnavailable);
  const auto records = Records("rotate");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(Has(records[0], "\"outcome\":\"unknown\",\"reason\":\"unavailable\"")) << records[0];
}

TEST_F(ControlTest, TheKernelSaysWhoAsked) {
  ASSERT_TRUE(Ask(Alice()).ok());
  EXPECT_TRUE(Has(Records("create").front(), "\"id\":\"cli:")) << Records("create").front();
}

TEST_F(ControlTest, ANewSetupLinkLeadsToTheServer) {
  const auto link = Ask(NewSetupLink{});
  ASSERT_TRUE(link.ok());
  EXPECT_TRUE(Has(link->ExposeSecret(), "http://127.0.0.1:3001/setup#token=nds_"));
  ASSERT_TRUE(Ask(Alice()).ok());
  EXPECT_EQ(Ask(NewSetupLink{}).error().kind, ErrorKind::kConflict);
}

TEST_F(ControlTest, TheSocketIsForItsOwnerAlone) {
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ControlTest, NonsenseIsAnsweredAndTooMuchIsCutOff) {
  EXPECT_TRUE(Has(AskRaw("hello\n"), "\"error\""));
  EXPECT_TRUE(Has(AskRaw("{\"act\":\"user.list\"}\n"), "\"answer\""));
  EXPECT_EQ(AskRaw("{\"act\":\"user.list\"}"), "");  // no line
  EXPECT_EQ(AskRaw(std::string(kMaxRequestLine + 1, ' ')), "");
  EXPECT_TRUE(Has(AskRaw(std::string(kMaxRequestLine - 19, ' ') + "{\"act\":\"user.list\"}\n"), "\"answer\""));
  EXPECT_TRUE(Ask(ListUsers{}).ok());
}

TEST_F(ControlTest, AStoppedServerIsNotFound) {
  loop_.Post([this] { server_->Stop(); });
  while (access(path_.c_str(), F_OK) == 0) std::this_thread::yield();
  EXPECT_EQ(ConnectToServer(path_).error().kind, ErrorKind::kNotFound);
}

TEST(LocalSocket, PathsMayBeLong) {
  const TestFolder folder;
  const std::string deep = folder.path() + "/" + std::string(120, 'd');
  ASSERT_EQ(mkdir(deep.c_str(), 0700), 0);
  const auto listener = ListenLocally(deep + "/control.sock");
  ASSERT_TRUE(listener.ok()) << listener.error().detail;
  EXPECT_TRUE(ConnectLocally(deep + "/control.sock").ok());
  EXPECT_EQ(ConnectLocally(deep + "/other.sock").error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace nd::app
