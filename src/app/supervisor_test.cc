#include "app/supervisor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/process.h"

// The supervisor is tested from outside: it runs in a process of its own, its children report over a pipe.
namespace nd::app {
namespace {

// Waits for SIGTERM as a child of the deck does.
ExitCode RunUntilAsked(ExitCode code = ExitCode::kOk) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  int number = 0;
  sigwait(&set, &number);
  return code;
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = UniqueFd(ends[0]);
    write_end_ = UniqueFd(ends[1]);
    plan_.inherited = {write_end_.get()};
    plan_.first_backoff = std::chrono::milliseconds(1);
    plan_.keeper = [this](std::vector<UniqueFd>) {
      Report("k");
      return RunUntilAsked();
    };
    plan_.front = [this](std::vector<UniqueFd>) {
      Report("f");
      return RunUntilAsked();
    };
  }
  ~SupervisorTest() override {
    if (supervisor_ > 0) kill(supervisor_, SIGKILL);
  }

  void Report(std::string_view word) const { (void)WriteAll(write_end_.get(), word); }

  void Start() {
    supervisor_ = fork();
    ASSERT_GE(supervisor_, 0);
    if (supervisor_ == 0) {
      const SystemClock clock;
      _exit(static_cast<int>(Supervisor(plan_, clock).Run()));
    }
    // From here on the pipe ends when supervisor and children have ended.
    write_end_.Reset();
  }

  // The next `count` reports, or fewer if everybody has ended.
  std::string Reports(std::size_t count) {
    std::string text;
    char byte;
    while (text.size() < count && read(read_end_.get(), &byte, 1) == 1) text.push_back(byte);
    return text;
  }
  std::string Rest() { return Reports(1'000); }

  int ExitStatus() {
    int status = 0;
    EXPECT_EQ(waitpid(supervisor_, &status, 0), supervisor_);
    supervisor_ = -1;
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  SupervisorPlan plan_;
  UniqueFd read_end_, write_end_;
  pid_t supervisor_ = -1;
};

TEST_F(SupervisorTest, StopsTheFrontBeforeTheKeeper) {
  plan_.keeper = [this](std::vector<UniqueFd>) {
    Report("+");
    RunUntilAsked();
    Report("k");
    return ExitCode::kOk;
  };
  plan_.front = [this](std::vector<UniqueFd>) {
    Report("+");
    RunUntilAsked();
    Report("f");
    return ExitCode::kOk;
  };
  for (const int number : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(number);
    if (number == SIGINT) {
      int ends[2];
      ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
      read_end_ = UniqueFd(ends[0]);
      write_end_ = UniqueFd(ends[1]);
      plan_.inherited = {write_end_.get()};
    }
    Start();
    ASSERT_EQ(Reports(2), "++");
    kill(supervisor_, number);
    EXPECT_EQ(Rest(), "fk");
    EXPECT_EQ(ExitStatus(), 0);
  }
}

TEST_F(SupervisorTest, ConnectsTheTwoAndNobodyElse) {
  plan_.channels = 3;
  plan_.keeper = [](std::vector<UniqueFd> channels) {
    char byte = 0;
    for (UniqueFd& channel : channels) {
      if (read(channel.get(), &byte, 1) != 1) return ExitCode::kFailed;
      (void)WriteAll(channel.get(), std::string_view(&byte, 1));
    }
    return RunUntilAsked();
  };
  plan_.front = [this](std::vector<UniqueFd> channels) {
    for (UniqueFd& channel : channels) {
      (void)WriteAll(channel.get(), "x");
      char byte = 0;
      if (read(channel.get(), &byte, 1) == 1) Report(std::string_view(&byte, 1));
    }
    return RunUntilAsked();
  };
  Start();
  EXPECT_EQ(Reports(3), "xxx");
  kill(supervisor_, SIGTERM);
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(SupervisorTest, ARefusalIsFinalAndItsCodeIsTheDecks) {
  plan_.front = [](std::vector<UniqueFd>) { return ExitCode::kRefusedUnsafe; };
  Start();
  EXPECT_EQ(ExitStatus(), 3);
}

TEST_F(SupervisorTest, ReplacesBothWhenOneCrashes) {
  plan_.keeper = [this](std::vector<UniqueFd> channels) {
    Report("k");
    char byte = 0;
    // The first front asks its keeper to crash.
    if (read(channels[0].get(), &byte, 1) == 1 && byte == 'x') kill(getpid(), SIGKILL);
    return RunUntilAsked();
  };
  plan_.front = [this](std::vector<UniqueFd> channels) {
    const bool first = fcntl(write_end_.get(), F_GETPIPE_SZ) == 65'536;
    fcntl(write_end_.get(), F_SETPIPE_SZ, 4'096);
    Report("f");
    if (first) (void)WriteAll(channels[0].get(), "x");
    if (!first) (void)WriteAll(channels[0].get(), "-");
    return RunUntilAsked();
  };
  Start();
  std::string reports = Reports(4);
  std::sort(reports.begin(), reports.end());
  EXPECT_EQ(reports, "ffkk");
  kill(supervisor_, SIGTERM);
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(SupervisorTest, GivesUpAfterFiveRestartsWithinAMinute) {
  plan_.keeper = [this](std::vector<UniqueFd>) -> ExitCode {
    Report("k");
    kill(getpid(), SIGKILL);
    return ExitCode::kOk;
  };
  plan_.front = [](std::vector<UniqueFd>) { return RunUntilAsked(); };
  Start();
  EXPECT_EQ(Rest(), std::string(1 + Supervisor::kMaxRestarts, 'k'));
  EXPECT_EQ(ExitStatus(), 1);
}

TEST_F(SupervisorTest, EndsWhenTheKeyWasGivenByHandAndIsLost) {
  plan_.no_restart_reason = "the root key was given by hand";
  plan_.keeper = [this](std::vector<UniqueFd>) -> ExitCode {
    Report("k");
    kill(getpid(), SIGKILL);
    return ExitCode::kOk;
  };
  plan_.front = [](std::vector<UniqueFd>) { return RunUntilAsked(); };
  Start();
  EXPECT_EQ(Rest(), "k");
  EXPECT_EQ(ExitStatus(), 1);
}

TEST_F(SupervisorTest, ChildrenGoWithASupervisorThatIsKilled) {
  Start();
  EXPECT_EQ(Reports(2).size(), 2U);
  kill(supervisor_, SIGKILL);
  int status = 0;
  waitpid(supervisor_, &status, 0);
  supervisor_ = -1;
  EXPECT_EQ(Rest(), "");  // the pipe ends: nobody is left
}

TEST_F(SupervisorTest, OutlivesItsTerminalUnderNohup) {
  signal(SIGHUP, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);  // as some parents leave it
  Start();
  signal(SIGHUP, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(Reports(2).size(), 2U);
  kill(supervisor_, SIGHUP);
  kill(supervisor_, SIGTERM);
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(SupervisorTest, StopsWhenItsTerminalGoes) {
  Start();
  EXPECT_EQ(Reports(2).size(), 2U);
  kill(supervisor_, SIGHUP);
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(SupervisorTest, InsistsWhenAChildDoesNotStop) {
  plan_.front_patience = std::chrono::seconds(0);
  plan_.front = [this](std::vector<UniqueFd>) {
    Report("f");
    for (;;) pause();
    return ExitCode::kOk;
  };
  Start();
  EXPECT_EQ(Reports(2).size(), 2U);
  kill(supervisor_, SIGTERM);
  EXPECT_EQ(ExitStatus(), 1);
}

}  // namespace
}  // namespace nd::app
