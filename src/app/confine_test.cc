#include "app/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "app/test_folder.h"
#include "base/files.h"

namespace nd::app {
namespace {

// Runs `body` in a child, since what it gives up it gives up for good; true if it returned true there.
bool InChild(const std::function<bool()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool Opens(const std::string& path, int flags) { return UniqueFd(open(path.c_str(), flags | O_CLOEXEC, 0600)).get() >= 0; }

class Confined : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!InChild([] {
          const auto abi = ConfineFiles({});
          return abi.ok() && *abi > 0;
        })) {
      GTEST_SKIP() << "this kernel has no Landlock";
    }
  }
  const TestFolder folder_;
  const std::string state_ = folder_.path() + "/state", secret_ = folder_.path() + "/root.key";
};

TEST_F(Confined, OpensWhatItIsGivenAndNothingElse) {
  ASSERT_TRUE(EnsurePrivateDirectory(state_).ok());
  ASSERT_TRUE(CreateFileDurably(secret_, "key").ok());
  ASSERT_TRUE(CreateFileDurably(state_ + "/deck.db", "x").ok());
  EXPECT_TRUE(InChild([&] {
    if (!ConfineFiles({SystemFiles(), {state_}}).ok()) return false;
    return Opens(state_ + "/deck.db", O_RDWR) && Opens(state_ + "/new", O_RDWR | O_CREAT) && Opens("/etc/passwd", O_RDONLY) &&
           !Opens(secret_, O_RDONLY) && errno == EACCES && !Opens(folder_.path() + "/other", O_RDWR | O_CREAT) &&
           !Opens("/etc/passwd", O_WRONLY) && !Opens("/proc/1/environ", O_RDONLY);
  }));
}

TEST_F(Confined, ExecutesNothing) {
  EXPECT_TRUE(InChild([&] {
    if (!ConfineFiles({SystemFiles(), {}}).ok()) return false;
    execl("/bin/true", "true", nullptr);
    return errno == EACCES;
  }));
}

TEST(ForbidSystemCalls, LeavesNoWayToRunOrTraceAnotherProgram) {
  EXPECT_TRUE(InChild([] {
    if (!ForbidSystemCalls().ok()) return false;
    execl("/bin/true", "true", nullptr);
    if (errno != EPERM) return false;
    return unshare(0x10000000) != 0 && errno == EPERM && chroot("/") != 0 && errno == EPERM;
  }));
}

}  // namespace
}  // namespace nd::app
