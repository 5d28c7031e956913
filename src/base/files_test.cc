#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nd {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/nd-files-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string At(const std::string& name) const { return directory_ + "/" + name; }
  std::string Content(const std::string& path) const { return *ReadTextFile(path, 1 << 20); }
  mode_t Mode(const std::string& path) const {
    struct stat info;
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  void WritePlainly(const std::string& path, std::string_view bytes) const { std::ofstream(path) << bytes; }

  std::string directory_;
};

TEST_F(Files, ReplacingMakesAPrivateFileWithNothingBesideIt) {
  ASSERT_TRUE(ReplaceFileDurably(At("a"), "one").ok());
  EXPECT_EQ(Content(At("a")), "one");
  EXPECT_EQ(Mode(At("a")), 0600U);
  ASSERT_TRUE(ReplaceFileDurably(At("a"), "").ok());
  EXPECT_EQ(Content(At("a")), "");
  EXPECT_FALSE(std::filesystem::exists(At("a.new")));
}

TEST_F(Files, ReplacingNeitherFollowsNorKeepsWhatLiesUnderTheTemporaryName) {
  WritePlainly(At("victim"), "keep me");
  std::filesystem::create_symlink(At("victim"), At("a.new"));
  ASSERT_TRUE(ReplaceFileDurably(At("a"), "one").ok());
  EXPECT_EQ(Content(At("victim")), "keep me");

  WritePlainly(At("a.new"), "left by a crash, open to all");
  chmod(At("a.new").c_str(), 0666);
  ASSERT_TRUE(ReplaceFileDurably(At("a"), "two").ok());
  EXPECT_EQ(Content(At("a")), "two");
  EXPECT_EQ(Mode(At("a")), 0600U);
}

TEST_F(Files, ATemporaryThatIsASecondNameOfTheFileIsNotTruncated) {
  // What a kill between link and unlink of CreateFileDurably leaves.
  ASSERT_TRUE(CreateFileDurably(At("a"), "precious").ok());
  ASSERT_EQ(link(At("a").c_str(), At("a.new").c_str()), 0);
  const auto refused = CreateFileDurably(At("a"), "other");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Content(At("a")), "precious");
}

TEST_F(Files, AFailedReplacementLeavesTheOldContent) {
  ASSERT_TRUE(ReplaceFileDurably(At("a"), "one").ok());
  std::filesystem::create_directory(At("a.new"));
  EXPECT_FALSE(ReplaceFileDurably(At("a"), "two").ok());
  EXPECT_EQ(Content(At("a")), "one");
}

TEST_F(Files, ReplacingInAMissingDirectoryIsNotFound) {
  EXPECT_EQ(ReplaceFileDurably(At("no/a"), "x").error().kind, ErrorKind::kNotFound);
}

TEST_F(Files, CreatingRefusesAnExistingName) {
  ASSERT_TRUE(CreateFileDurably(At("a"), "one").ok());
  EXPECT_EQ(Mode(At("a")), 0600U);
  EXPECT_EQ(CreateFileDurably(At("a"), "two").error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Content(At("a")), "one");
  EXPECT_FALSE(std::filesystem::exists(At("a.new")));
}

TEST_F(Files, ReadingIsBoundedAtTheLimit) {
  WritePlainly(At("a"), "12345");
  EXPECT_EQ(ReadTextFile(At("a"), 4).error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(*ReadTextFile(At("a"), 5), "12345");
  EXPECT_EQ(*ReadTextFile(At("a"), 6), "12345");
  EXPECT_EQ(ReadTextFile(At("none"), 5).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadTextFile(directory_, 5).error().kind, ErrorKind::kInvalidInput);
}

TEST_F(Files, ReadingAPipeDoesNotWaitForAWriter) {
  ASSERT_EQ(mkfifo(At("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(ReadTextFile(At("pipe"), 5).ok());
}

TEST_F(Files, APrivateFileIsClosedToEveryOtherUser) {
  WritePlainly(At("a"), "x");
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    chmod(At("a").c_str(), mode);
    EXPECT_TRUE(RequirePrivateFile(At("a")).ok()) << mode;
  }
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U, 0666U}) {
    chmod(At("a").c_str(), mode);
    const auto refused = RequirePrivateFile(At("a"));
    ASSERT_FALSE(refused.ok()) << mode;
    EXPECT_EQ(refused.error().kind, ErrorKind::kForbidden);
    EXPECT_NE(refused.error().detail.find("chmod go-rwx " + At("a")), std::string::npos);
  }
  EXPECT_EQ(RequirePrivateFile(directory_).error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(RequirePrivateFile(At("none")).error().kind, ErrorKind::kNotFound);
}

TEST_F(Files, APrivateDirectoryIsMadeWithItsParents) {
  ASSERT_TRUE(EnsurePrivateDirectory(At("x/y/z")).ok());
  for (const char* name : {"x", "x/y", "x/y/z"}) EXPECT_EQ(Mode(At(name)), 0700U) << name;
  EXPECT_TRUE(EnsurePrivateDirectory(At("x/y/z")).ok());
}

TEST_F(Files, APrivateDirectoryThatOthersCanWriteIsRefused) {
  ASSERT_TRUE(EnsurePrivateDirectory(At("x")).ok());
  chmod(At("x").c_str(), 0755);
  EXPECT_TRUE(EnsurePrivateDirectory(At("x")).ok());
  for (const mode_t mode : {0770U, 0702U}) {
    chmod(At("x").c_str(), mode);
    EXPECT_EQ(EnsurePrivateDirectory(At("x")).error().kind, ErrorKind::kForbidden) << mode;
  }
  WritePlainly(At("file"), "x");
  EXPECT_EQ(EnsurePrivateDirectory(At("file")).error().kind, ErrorKind::kForbidden);
}

TEST_F(Files, ALockHasOneHolderAndEndsWithIt) {
  {
    const auto first = FileLock::Acquire(At("lock"));
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(FileLock::Acquire(At("lock")).error().kind, ErrorKind::kConflict);
  }
  EXPECT_TRUE(FileLock::Acquire(At("lock")).ok());
}

TEST_F(Files, ALockIsGoneWhenItsHolderIsKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const auto lock = FileLock::Acquire(At("lock"));
    const char answer = lock.ok() ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_FALSE(FileLock::Acquire(At("lock")).ok());
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_TRUE(FileLock::Acquire(At("lock")).ok());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(Files, WriteAllReportsAFullDevice) {
  UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  EXPECT_EQ(WriteAll(full.get(), "x").error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(WriteAll(full.get(), "").ok());
}

TEST_F(Files, AnOwnedDescriptorIsClosedOnce) {
  UniqueFd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), number);
  second.Reset();
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace nd
