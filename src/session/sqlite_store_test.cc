#include "session/sqlite_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "session/sqlite.h"

namespace nd::session {
namespace {

using std::chrono::seconds;
constexpr WallTime kNow{seconds(1'800'000'000)};

class SqliteStoreFile : public ::testing::Test {
 protected:
  SqliteStoreFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nd-sqlite-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/deck.db";
  }
  ~SqliteStoreFile() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Store> Open() {
    auto store = OpenSqliteStore(path_);
    EXPECT_TRUE(store.ok()) << store.error().public_text << store.error().detail;
    return store.ok() ? *std::move(store) : nullptr;
  }
  Error Refusal() {
    auto store = OpenSqliteStore(path_);
    EXPECT_FALSE(store.ok());
    return store.ok() ? Error{} : store.error();
  }
  void Write(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    chmod(path.c_str(), 0600);
  }
  std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  void RunSql(const char* sql) {
    auto db = Sqlite::Open(path_);
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(db->Run(sql).ok()) << sql;
  }
  static mode_t Mode(const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  static UserRow User(std::string id) { return {std::move(id), "hash-of-a-password", Role::kAdmin, false, 1, kNow}; }

  std::string directory_, path_;
};

TEST_F(SqliteStoreFile, IsPrivateWhateverTheUmask) {
  const mode_t before = umask(0);
  auto store = Open();
  ASSERT_TRUE(store->AddUser(User("alice")).ok());
  umask(before);
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_EQ(Mode(entry.path()), 0600U) << entry.path();
  }
}

TEST_F(SqliteStoreFile, RefusesFilesThatOthersCouldRead) {
  Open();
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644}) {
    chmod(path_.c_str(), mode);
    EXPECT_EQ(Refusal().kind, ErrorKind::kForbidden) << mode;
  }
  chmod(path_.c_str(), 0600);
  Open();
  Write(path_ + "-wal", "");
  chmod((path_ + "-wal").c_str(), 0644);
  EXPECT_EQ(Refusal().kind, ErrorKind::kForbidden);
}

TEST_F(SqliteStoreFile, RefusesASymbolicLinkAndADirectory) {
  const std::string target = directory_ + "/elsewhere.db";
  Write(target, "");
  ASSERT_EQ(symlink(target.c_str(), path_.c_str()), 0);
  Refusal();
  unlink(path_.c_str());
  mkdir(path_.c_str(), 0700);
  Refusal();
}

TEST_F(SqliteStoreFile, KeepsEverythingAcrossReopening) {
  {
    auto store = Open();
    ASSERT_TRUE(store->AddUser(User("alice")).ok());
    ASSERT_EQ(*store->RememberOnce("deck_id", "d"), "d");
  }
  auto store = Open();
  EXPECT_EQ(store->Load()->users, std::vector{User("alice")});
  EXPECT_EQ(*store->RememberOnce("deck_id", "e"), "d");
}

// The process dies without closing anything, right after the write was acknowledged.
TEST_F(SqliteStoreFile, KeepsWhatItAcknowledgedToAProcessThatWasKilled) {
  const pid_t child = fork();
  if (child == 0) {
    auto store = OpenSqliteStore(path_);
    const bool done = store.ok() && (*store)->AddUser(User("alice")).ok();
    if (done) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(Open()->Load()->users, std::vector{User("alice")});
}

TEST_F(SqliteStoreFile, BelongsToOneHolderAtATime) {
  auto store = Open();
  const pid_t child = fork();
  if (child == 0) {
    const auto second = OpenSqliteStore(path_);
    _exit(!second.ok() && second.error().kind == ErrorKind::kConflict ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(Refusal().kind, ErrorKind::kConflict);  // not within one process either
  store.reset();
  Open();
}

TEST_F(SqliteStoreFile, RefusesWhatIsNotItsOwn) {
  Write(path_, std::string(4096, 'x'));
  EXPECT_EQ(Refusal().kind, ErrorKind::kInternal);
  unlink(path_.c_str());
  Write(path_, "");
  RunSql("CREATE TABLE somebody_elses (a)");
  EXPECT_NE(Refusal().detail.find("another program"), std::string::npos);
}

TEST_F(SqliteStoreFile, RefusesANewerSchema) {
  Open();
  RunSql("PRAGMA user_version = 2");
  EXPECT_NE(Refusal().detail.find("schema version 2"), std::string::npos);
}

TEST_F(SqliteStoreFile, RefusesADamagedFile) {
  {
    auto store = Open();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->AddUser(User("user" + std::to_string(i))).ok());
  }
  std::string bytes = Read(path_);
  ASSERT_GT(bytes.size(), 8 * 4096U);
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
  Write(path_, bytes);
  EXPECT_EQ(Refusal().kind, ErrorKind::kInternal);
}

TEST_F(SqliteStoreFile, HoldsStrictTables) {
  Open();
  auto db = Sqlite::Open(path_);
  ASSERT_TRUE(db.ok());
  EXPECT_FALSE(db->Run("INSERT INTO users VALUES ('a', 'h', 'root', 0, 1, 1)").ok());     // no such role
  EXPECT_FALSE(db->Run("INSERT INTO users VALUES ('a', 'h', 'admin', 2, 1, 1)").ok());    // not a truth value
  EXPECT_FALSE(db->Run("INSERT INTO users VALUES ('a', 'h', 'admin', 0, 'x', 1)").ok());  // not a number
  EXPECT_FALSE(db->Run("INSERT INTO setup_token VALUES (2, zeroblob(32), 1)").ok());      // only one row
  EXPECT_FALSE(db->Run("INSERT INTO setup_token VALUES (1, zeroblob(31), 1)").ok());      // not a digest
  EXPECT_TRUE(db->Run("INSERT INTO users VALUES ('a', 'h', 'admin', 0, 1, 1)").ok());
}

TEST_F(SqliteStoreFile, FailsToOpenWhereThereIsNoDirectory) {
  path_ = directory_ + "/missing/deck.db";
  Refusal();
}

// What was deleted is not left behind in free pages.
TEST_F(SqliteStoreFile, WipesWhatItDeletes) {
  {
    auto store = Open();
    ASSERT_TRUE(store->AddUser(User("alice")).ok());
    AgentTokenRow token;
    token.id = "a1";
    token.user = "alice";
    token.name = "a-name-to-look-for";
    token.scopes = {*Scope::Parse("mcp")};
    token.secret_hash = std::string(32, 's');
    ASSERT_TRUE(store->AddAgentToken(token).ok());
    ASSERT_TRUE(store->DeleteAgentTokens({"a1"}).ok());
  }
  EXPECT_EQ(Read(path_).find("a-name-to-look-for"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));  // merged and removed at the end
}

}  // namespace
}  // namespace nd::session
