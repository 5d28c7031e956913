// What the log does when the disk is full or failing, when a crash tore its end, and when someone else changed it.
#include <gmock/gmock.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "audit/log_test_fixture.h"
#include "base/text.h"
#include "crypto/sha256.h"

#if defined(__SANITIZE_THREAD__)
#define ND_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ND_UNDER_TSAN 1
#endif
#endif

namespace nd::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void ExpectRefused(const Result<std::uint64_t>& result) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(result.error().code, "audit_unavailable");
}

TEST_F(LogTest, AFullDiskRefusesBothClassesUntilThereIsRoomAgain) {
  auto log = OpenLog();
  Write(*log);
  disk_.allocate_error = ENOSPC;
  disk_.write_error = ENOSPC;
  ExpectRefused(log->AppendAndWait(SomeRecord("refused"), Durability::kSync));
  EXPECT_TRUE(log->health().degraded);
  EXPECT_THAT(log->health().reason, HasSubstr("No space left"));
  EXPECT_FALSE(std::filesystem::exists(PathOf("reserve")));
  ExpectRefused(log->AppendAndWait(SomeRecord("refused"), Durability::kWrite));
  ExpectRefused(log->AppendAndWait(SomeRecord("refused"), Durability::kSync));

  disk_.write_error = 0;
  disk_.allocate_error = 0;
  ASSERT_TRUE(WriteOnceHealed(*log));
  EXPECT_FALSE(log->health().degraded);
  EXPECT_EQ(log->health().reason, "");
  EXPECT_TRUE(std::filesystem::exists(PathOf("reserve")));
  log.reset();
  ExpectWholeChain();
  EXPECT_EQ(LinesWithAction("audit_recovered").size(), 1U);
  for (const auto& line : AllLines()) EXPECT_EQ(line.find("\"refused\""), std::string::npos);
}

TEST_F(LogTest, TheReserveTakesTheLastWords) {
  auto log = OpenLog();
  // The write fails once, as if the freed reserve then had room for one more record; the reserve cannot come back.
  disk_.allocate_error = ENOSPC;
  disk_.sync_error_once = ENOSPC;
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  const auto words = LinesWithAction("audit_degraded");
  ASSERT_EQ(words.size(), 1U);
  EXPECT_THAT(words[0], HasSubstr("\"vocab\":\"sys_monitor_disabled\""));
  EXPECT_THAT(words[0], HasSubstr("\"outcome\":\"failure\",\"reason\":\"disk_full\",\"data\":{\"count\":1}"));
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kWrite));
  disk_.allocate_error = 0;
  ASSERT_TRUE(WriteOnceHealed(*log));
  log.reset();
  ExpectWholeChain();
}

TEST_F(LogTest, AWriteThatStopsInTheMiddleOfALineLeavesTheTornPartAside) {
  auto log = OpenLog();
  disk_.write_at_most = 100;
  disk_.write_error = EIO;
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  disk_.write_error = 0;
  ASSERT_TRUE(WriteOnceHealed(*log));
  log.reset();
  ExpectWholeChain();
  const auto torn = Slurp(PathOf("torn-2-2026-11-24.bin"));
  EXPECT_EQ(torn.size(), 100U);
  const auto notes = LinesWithAction("recovered");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("\"bytes\":100,\"sha256\":\"" + EncodeHex(Sha256(torn)) + "\""));
  EXPECT_GE(SegmentNames().size(), 2U) << "a file that saw a failed write is not continued";
}

TEST_F(LogTest, AFailedSyncIsNeverTakenForDoneAndTheFileIsNotContinued) {
  auto log = OpenLog();
  disk_.sync_error_once = EIO;
  ExpectRefused(log->AppendAndWait(SomeRecord("uncertain"), Durability::kSync));
  ASSERT_TRUE(WriteOnceHealed(*log));
  log.reset();
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-24.jsonl", "audit-2026-11-24.1.jsonl"));
  ExpectWholeChain();
}

TEST_F(LogTest, AFailedTimedSyncDegradesToo) {
  options_.sync_interval = std::chrono::milliseconds(1);
  options_.retry_interval = std::chrono::hours(1);
  const auto log = OpenLog();
  disk_.sync_error = EIO;
  Write(*log, Durability::kWrite);
  while (!log->health().degraded) std::this_thread::yield();
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kWrite));
}

TEST_F(LogTest, AGroupThatFailsFailsEveryTicketOfIt) {
  options_.retry_interval = std::chrono::hours(1);
  const auto log = OpenLog();
  disk_.write_error = EIO;
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (!log->AppendAndWait(SomeRecord(), Durability::kWrite).ok()) ++refused;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused, 8);
}

TEST_F(LogTest, OpensDegradedOnAFullDiskAndHeals) {
  disk_.write_error = ENOSPC;
  auto log = OpenLog();
  ASSERT_NE(log, nullptr);
  EXPECT_TRUE(log->health().degraded);
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  disk_.write_error = 0;
  ASSERT_TRUE(WriteOnceHealed(*log));
  log.reset();
  ExpectWholeChain();
}

TEST_F(LogTest, AFileCutUnderARunningLogIsNoticedAtTheNextRecord) {
  auto log = OpenLog();
  Write(*log);
  const std::uint64_t last = Write(*log);
  const auto lines = AllLines();
  std::filesystem::resize_file(PathOf("audit-2026-11-24.jsonl"),
                               std::filesystem::file_size(PathOf("audit-2026-11-24.jsonl")) - lines.back().size());
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  ASSERT_TRUE(WriteOnceHealed(*log));
  const auto notes = LinesWithAction("audit_recovered");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("\"reason\":\"records_lost\""));
  EXPECT_THAT(notes[0], HasSubstr("\"from\":" + std::to_string(last) + ",\"to\":" + std::to_string(last)));
  // The number that was acknowledged is not given again.
  EXPECT_EQ(ParseLine(AllLines()[2])->sequence, last + 1);
}

TEST_F(LogTest, AFileRemovedUnderARunningLogIsNoticedAtTheNextRecord) {
  const auto log = OpenLog();
  std::filesystem::remove(PathOf("audit-2026-11-24.jsonl"));
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  ASSERT_TRUE(WriteOnceHealed(*log));
}

TEST_F(LogTest, ALastRecordReplacedUnderARunningLogStopsItForGood) {
  options_.retry_interval = std::chrono::hours(1);
  const auto log = OpenLog();
  Write(*log);
  std::string text = Slurp(PathOf("audit-2026-11-24.jsonl"));
  text.replace(text.find("alice"), 5, "malle");
  std::ofstream(PathOf("audit-2026-11-24.jsonl"), std::ios::binary | std::ios::trunc) << text;
  disk_.sync_error_once = EIO;  // whatever makes the log look at its end again
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
  ExpectRefused(log->AppendAndWait(SomeRecord(), Durability::kSync));
}

class Torn : public LogTest {
 protected:
  void SetUp() override {
    LogTest::SetUp();
    auto log = OpenLog();
    Write(*log);
    log.reset();
    file_ = PathOf("audit-2026-11-24.jsonl");
    whole_ = Slurp(file_);
  }
  std::string file_, whole_;
};

TEST_F(Torn, TheTornLineIsKeptAsideAndTold) {
  AppendBytes(file_, "{\"ts\":\"2026-11-24T08:0");
  OpenLog().reset();
  EXPECT_EQ(Slurp(PathOf("torn-4-2026-11-24.bin")), "{\"ts\":\"2026-11-24T08:0");
  EXPECT_TRUE(Slurp(file_).starts_with(whole_));
  const auto notes = LinesWithAction("recovered");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("\"seq\":4,\"event\":\"CONFIG_CHANGE\",\"vocab\":\"sys_crash\""));
  EXPECT_THAT(notes[0], HasSubstr("\"target\":\"audit-2026-11-24.jsonl\""));
  EXPECT_THAT(notes[0], HasSubstr("\"data\":{\"file\":\"torn-4-2026-11-24.bin\",\"bytes\":22,\"sha256\":\"" +
                                  EncodeHex(Sha256("{\"ts\":\"2026-11-24T08:0")) + "\"}"));
  ExpectWholeChain();
}

TEST_F(Torn, EveryCutThroughTheLastLineIsRecovered) {
  const auto lines = LinesOf(whole_);
  const std::size_t before = whole_.size() - lines.back().size();
  for (std::size_t cut = before; cut <= whole_.size(); cut += 7) {
    std::filesystem::remove_all(options_.directory);
    std::filesystem::create_directory(options_.directory);
    std::filesystem::permissions(options_.directory, std::filesystem::perms::owner_all);
    AppendBytes(file_, std::string_view(whole_).substr(0, cut));
    std::filesystem::permissions(file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    ASSERT_NE(OpenLog(), nullptr) << cut;
    ExpectWholeChain();
    EXPECT_EQ(LinesWithAction("recovered").size(), cut == before || cut == whole_.size() ? 0U : 1U) << cut;
  }
}

TEST_F(Torn, ZeroBytesThatAPowerFailureLeavesAreTorn) {
  AppendBytes(file_, std::string(300'000, '\0'));
  OpenLog().reset();
  EXPECT_EQ(std::filesystem::file_size(PathOf("torn-4-2026-11-24.bin")), 300'000U);
  ExpectWholeChain();
}

TEST_F(Torn, AHoleOfZerosBeforeWholeLinesIsTornFromTheHoleOn) {
  const auto lines = LinesOf(whole_);
  std::string damaged = whole_;
  damaged.replace(lines[0].size() + 20, 50, 50, '\0');
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << damaged;
  OpenLog().reset();
  EXPECT_EQ(std::filesystem::file_size(PathOf("torn-2-2026-11-24.bin")), whole_.size() - lines[0].size());
  ExpectWholeChain();
}

TEST_F(Torn, AFileTornInItsFirstLineContinuesTheFileBefore) {
  clock_.SetWall(At(2026, 11, 25));
  AppendBytes(PathOf("audit-2026-11-25.jsonl"), "{\"ts\":");
  std::filesystem::permissions(PathOf("audit-2026-11-25.jsonl"), std::filesystem::perms(0600));
  OpenLog().reset();
  EXPECT_EQ(Slurp(PathOf("torn-4-2026-11-25.bin")), "{\"ts\":");
  ExpectWholeChain();
}

TEST_F(Torn, ACrashBetweenTheCutAndItsRecordIsToldByTheNextRun) {
  // The side file is there, the segment is cut, the record is missing.
  AppendBytes(PathOf("torn-4-2026-11-24.bin"), "half a line");
  OpenLog().reset();
  EXPECT_EQ(LinesWithAction("recovered").size(), 1U);
  OpenLog().reset();
  EXPECT_EQ(LinesWithAction("recovered").size(), 1U) << "told once";
}

TEST_F(Torn, ACrashBetweenTheSideFileAndTheCutMakesNoSecondSideFile) {
  AppendBytes(file_, "half a line");
  AppendBytes(PathOf("torn-4-2026-11-24.bin"), "half a line");
  OpenLog().reset();
  EXPECT_FALSE(std::filesystem::exists(PathOf("torn-4-2026-11-24.1.bin")));
  EXPECT_EQ(LinesWithAction("recovered").size(), 1U);
}

TEST_F(Torn, ASideFileIsNeverOverwritten) {
  AppendBytes(file_, "half a line");
  AppendBytes(PathOf("torn-4-2026-11-24.bin"), "other bytes");
  OpenLog().reset();
  EXPECT_EQ(Slurp(PathOf("torn-4-2026-11-24.bin")), "other bytes");
  EXPECT_EQ(Slurp(PathOf("torn-4-2026-11-24.1.bin")), "half a line");
}

TEST_F(Torn, DamageThatNoCrashLeavesStopsTheStartAndNamesThePlace) {
  const auto expect_refused = [&](std::string content) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << content;
    const auto log = Log::Open(options_, clock_);
    ASSERT_FALSE(log.ok());
    EXPECT_EQ(log.error().kind, ErrorKind::kInternal);
    EXPECT_THAT(log.error().detail, HasSubstr(file_));
    EXPECT_EQ(Slurp(file_), content) << "nothing is touched";
  };
  std::string edited = whole_;
  edited.replace(edited.find("alice"), 5, "malle");
  expect_refused(edited);
  expect_refused(whole_ + "not a record\n");
  const auto lines = LinesOf(whole_);
  expect_refused(lines[0] + lines[2]);
  expect_refused(lines[0] + lines[1] + lines[1]);
}

TEST_F(LogTest, ATailLongerThanTheWindowIsReadBackToItsRecord) {
  {
    const auto log = OpenLog();
    for (int i = 0; i < 900; ++i) ASSERT_TRUE(log->AppendAndWait(SomeRecord(), Durability::kWrite).ok());
  }
  AppendBytes(PathOf("audit-2026-11-24.jsonl"), std::string(1'500'000, 'x'));
  OpenLog().reset();
  EXPECT_EQ(std::filesystem::file_size(PathOf("torn-903-2026-11-24.bin")), 1'500'000U);
  ExpectWholeChain();
}

#ifndef ND_UNDER_TSAN  // threads cannot be started after a fork there
TEST_F(LogTest, EverythingAcknowledgedAsDurableIsThereAfterAKill) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const SystemClock clock;
    auto log = Log::Open(options_, clock);
    if (!log.ok()) _exit(1);
    for (;;) {
      const auto written = (*log)->AppendAndWait(SomeRecord(), Durability::kSync);
      if (!written.ok() || write(pipe_ends[1], &*written, sizeof *written) < 0) _exit(1);
    }
  }
  close(pipe_ends[1]);
  std::uint64_t acknowledged = 0;
  for (int i = 0; i < 50; ++i) ASSERT_EQ(read(pipe_ends[0], &acknowledged, sizeof acknowledged), 8);
  kill(child, SIGKILL);
  for (std::uint64_t more = 0; read(pipe_ends[0], &more, sizeof more) == 8;) acknowledged = more;
  close(pipe_ends[0]);
  waitpid(child, nullptr, 0);
  clock_.SetWall(SystemClock().Now());
  const auto log = OpenLog();
  ASSERT_NE(log, nullptr);
  ExpectWholeChain();
  std::uint64_t last_of_child = 0;
  for (const auto& line : AllLines()) {
    if (line.find("alice") != std::string::npos) last_of_child = ParseLine(line)->sequence;
  }
  EXPECT_GE(last_of_child, acknowledged);
}

// In a child with a mount namespace of its own: 0 good, 77 not permitted here, else the number of what went wrong.
int ScenarioOnAFullFileSystem(const std::string& root, Options options) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", root.c_str(), "tmpfs", 0, "size=512k,mode=0700") != 0) {
    return 77;
  }
  options.directory = root + "/audit";
  const SystemClock clock;
  auto log = Log::Open(options, clock);
  if (!log.ok() || (*log)->health().degraded) return 1;
  // Someone else fills the disk to the last byte.
  const int filler = open((root + "/filler").c_str(), O_WRONLY | O_CREAT, 0600);
  const std::string block(4096, 'x');
  while (write(filler, block.data(), block.size()) > 0) {
  }
  bool refused = false;
  for (int i = 0; i < 1000 && !refused; ++i) refused = !(*log)->AppendAndWait(SomeRecord(), Durability::kSync).ok();
  if (!refused) return 2;
  if (!(*log)->health().degraded) return 3;
  if (std::filesystem::exists(options.directory + "/reserve")) return 4;
  // The blocks of the reserve took the last words.
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
    std::ifstream file(entry.path());
    all.append(std::istreambuf_iterator<char>(file), {});
  }
  if (all.find("\"reason\":\"disk_full\"") == std::string::npos) return 5;
  if (ftruncate(filler, 0) != 0) return 6;
  bool healed = false;
  for (int i = 0; i < 10'000'000 && !healed; ++i) healed = (*log)->AppendAndWait(SomeRecord(), Durability::kSync).ok();
  if (!healed) return 7;
  return std::filesystem::exists(options.directory + "/reserve") ? 0 : 8;
}

TEST_F(LogTest, ARealFullFileSystemFailsClosedSaysLastWordsAndHeals) {
  const pid_t child = fork();
  if (child == 0) _exit(ScenarioOnAFullFileSystem(root_, options_));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this user may not mount a small file system";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

}  // namespace
}  // namespace nd::audit
