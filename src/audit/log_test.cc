#include "audit/log.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>

#include "audit/log_test_fixture.h"
#include "base/files.h"
#include "base/mutex.h"

namespace nd::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::chrono::hours;

TEST_F(LogTest, BeginsWithAStartRecordAndEndsWithAStopRecord) {
  OpenLog().reset();
  const auto lines = AllLines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("\"seq\":1,\"event\":\"CONFIG_CHANGE\",\"vocab\":\"sys_startup\""));
  EXPECT_THAT(lines[1], HasSubstr("\"seq\":2,\"event\":\"CONFIG_CHANGE\",\"vocab\":\"sys_shutdown\""));
  ExpectWholeChain();
}

TEST_F(LogTest, FilesArePrivateAndNamedByTheDay) {
  const auto log = OpenLog();
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-24.jsonl"));
  struct stat info;
  for (const char* name : {"audit-2026-11-24.jsonl", "reserve", "lock"}) {
    ASSERT_EQ(stat(PathOf(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
  ASSERT_EQ(stat(options_.directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(LogTest, ThousandsOfAppendsFromFourThreadsMakeOneChain) {
  constexpr int kThreads = 4, kEach = 1000;
  std::vector<std::vector<std::uint64_t>> numbers(kThreads);
  {
    const auto log = OpenLog();
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto durability = i % 50 == 0 ? Durability::kSync : Durability::kWrite;
          auto written = log->AppendAndWait(SomeRecord(std::to_string(t) + "-" + std::to_string(i)), durability);
          ASSERT_TRUE(written.ok());
          numbers[static_cast<std::size_t>(t)].push_back(*written);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(log->last_sequence(), std::uint64_t{kThreads * kEach + 1});
  }
  ExpectWholeChain();
  const auto lines = AllLines();
  ASSERT_EQ(lines.size(), std::size_t{kThreads * kEach + 2});
  std::set<std::uint64_t> seen;
  for (int t = 0; t < kThreads; ++t) {
    const auto& mine = numbers[static_cast<std::size_t>(t)];
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    for (int i = 0; i < kEach; ++i) {
      const std::uint64_t number = mine[static_cast<std::size_t>(i)];
      EXPECT_TRUE(seen.insert(number).second);
      EXPECT_THAT(lines[number - 1], HasSubstr("\"target\":\"" + std::to_string(t) + "-" + std::to_string(i) + "\""));
    }
  }
}

// Collects what is delivered and lets the test wait for it.
class Collector final : public Sink {
 public:
  void Deliver(Ticket* list) override {
    MutexLock lock(mutex_);
    ++calls_;
    while (list != nullptr) {
      Ticket* ticket = std::exchange(list, list->next);
      if (at_delivery) at_delivery(*ticket);
      order_.push_back(ticket);
    }
    changed_.SignalAll();
  }
  void WaitFor(std::size_t count) {
    MutexLock lock(mutex_);
    while (order_.size() < count) changed_.Wait(mutex_);
  }
  int calls() {
    MutexLock lock(mutex_);
    return calls_;
  }
  std::vector<Ticket*> order() {
    MutexLock lock(mutex_);
    return order_;
  }
  std::function<void(Ticket&)> at_delivery;

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<Ticket*> order_ ND_GUARDED_BY(mutex_);
  int calls_ ND_GUARDED_BY(mutex_) = 0;
};

TEST_F(LogTest, ASyncTicketComesBackOnlyAfterItsLineIsInTheFileAndSynced) {
  const auto log = OpenLog();
  Collector sink;
  Ticket ticket;
  const int before = disk_.syncs;
  int at_delivery = 0;
  std::string content;
  sink.at_delivery = [&](Ticket&) {
    at_delivery = disk_.syncs;
    content = Slurp(PathOf("audit-2026-11-24.jsonl"));
  };
  log->Append(SomeRecord("needle"), Durability::kSync, ticket, sink);
  sink.WaitFor(1);
  EXPECT_GT(at_delivery, before);
  EXPECT_THAT(content, HasSubstr("needle"));
  ASSERT_TRUE(ticket.sequence.ok());
  EXPECT_EQ(*ticket.sequence, 2U);
}

TEST_F(LogTest, AWriteTicketComesBackWithoutASyncAndIsSyncedSoonAfter) {
  const auto log = OpenLog();
  const int before = disk_.syncs;
  std::string content;
  Collector sink;
  int at_delivery = -1;
  sink.at_delivery = [&](Ticket&) {
    at_delivery = disk_.syncs;
    content = Slurp(PathOf("audit-2026-11-24.jsonl"));
  };
  Ticket ticket;
  log->Append(SomeRecord("needle"), Durability::kWrite, ticket, sink);
  sink.WaitFor(1);
  EXPECT_EQ(at_delivery, before);
  EXPECT_THAT(content, HasSubstr("needle"));
}

TEST_F(LogTest, TheIntervalSyncsWriteRecordsWithoutFurtherTraffic) {
  options_.sync_interval = std::chrono::milliseconds(1);
  const auto log = OpenLog();
  const int before = disk_.syncs;
  Write(*log, Durability::kWrite);
  while (disk_.syncs == before) std::this_thread::yield();  // ends by the interval alone
}

TEST_F(LogTest, ASettingLiftsEveryRecordToSync) {
  options_.least = Durability::kSync;
  const auto log = OpenLog();
  const int before = disk_.syncs;
  Write(*log, Durability::kWrite);
  EXPECT_GT(disk_.syncs, before);
}

// Holds the writer thread inside a delivery, so that what is appended meanwhile becomes one group.
class Gate final : public Sink {
 public:
  void Deliver(Ticket*) override {
    MutexLock lock(mutex_);
    reached_ = true;
    changed_.SignalAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void WaitUntilReached() {
    MutexLock lock(mutex_);
    while (!reached_) changed_.Wait(mutex_);
  }
  void OpenGate() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }

 private:
  Mutex mutex_;
  Condition changed_;
  bool reached_ ND_GUARDED_BY(mutex_) = false;
  bool open_ ND_GUARDED_BY(mutex_) = false;
};

TEST_F(LogTest, AGroupSharesOneWriteAndOneSyncAndIsDeliveredOncePerSinkInOrder) {
  const auto log = OpenLog();
  Gate gate;
  Ticket held;
  log->Append(SomeRecord(), Durability::kWrite, held, gate);
  gate.WaitUntilReached();
  Collector one, two;
  std::vector<Ticket> tickets(10);
  const int writes = disk_.writes, syncs = disk_.syncs;
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    log->Append(SomeRecord(), i == 3 ? Durability::kSync : Durability::kWrite, tickets[i], i % 2 == 0 ? one : two);
  }
  gate.OpenGate();
  one.WaitFor(5);
  two.WaitFor(5);
  EXPECT_EQ(disk_.writes, writes + 1);
  EXPECT_EQ(disk_.syncs, syncs + 1);
  EXPECT_EQ(one.calls(), 1);
  EXPECT_EQ(two.calls(), 1);
  EXPECT_THAT(one.order(), ElementsAre(&tickets[0], &tickets[2], &tickets[4], &tickets[6], &tickets[8]));
  for (std::size_t i = 0; i < tickets.size(); ++i) EXPECT_EQ(*tickets[i].sequence, i + 3);
}

TEST_F(LogTest, AFullQueueRefusesAtOnceAndTheRestGoesThrough) {
  options_.queue_records = 3;
  const auto log = OpenLog();
  Gate gate;
  Ticket held;
  log->Append(SomeRecord(), Durability::kWrite, held, gate);
  gate.WaitUntilReached();
  Collector sink, refused;
  std::vector<Ticket> tickets(4);
  for (std::size_t i = 0; i < 3; ++i) log->Append(SomeRecord(), Durability::kWrite, tickets[i], sink);
  log->Append(SomeRecord(), Durability::kSync, tickets[3], refused);
  EXPECT_THAT(refused.order(), ElementsAre(&tickets[3]));
  ASSERT_FALSE(tickets[3].sequence.ok());
  EXPECT_EQ(tickets[3].sequence.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(tickets[3].sequence.error().code, "audit_unavailable");
  EXPECT_FALSE(log->health().degraded);
  gate.OpenGate();
  sink.WaitFor(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(tickets[i].sequence.ok());
  Write(*log);
}

TEST_F(LogTest, ClosingWritesWhatIsQueued) {
  std::vector<Ticket> tickets(100);
  Collector sink;
  {
    const auto log = OpenLog();
    for (Ticket& ticket : tickets) log->Append(SomeRecord(), Durability::kWrite, ticket, sink);
  }
  EXPECT_EQ(sink.order().size(), tickets.size());
  for (Ticket& ticket : tickets) EXPECT_TRUE(ticket.sequence.ok());
  EXPECT_EQ(AllLines().size(), tickets.size() + 2);
  ExpectWholeChain();
}

TEST_F(LogTest, TheNextRunContinuesNumbersAndChain) {
  {
    const auto log = OpenLog();
    Write(*log);
  }
  {
    const auto log = OpenLog();
    EXPECT_EQ(log->last_sequence(), 4U);
    EXPECT_EQ(Write(*log), 5U);
  }
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-24.jsonl"));
  ExpectWholeChain();
}

TEST_F(LogTest, AtUtcMidnightTheNextFileBeginsAndTheChainGoesOn) {
  clock_.SetWall(At(2026, 11, 25) - std::chrono::microseconds(1));
  {
    const auto log = OpenLog();
    Write(*log);
    EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-24.jsonl"));
    clock_.Advance(std::chrono::microseconds(1));
    Write(*log);
    EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-24.jsonl", "audit-2026-11-25.jsonl"));
  }
  EXPECT_EQ(LinesOf(Slurp(PathOf("audit-2026-11-24.jsonl"))).size(), 2U);
  EXPECT_THAT(Slurp(PathOf("audit-2026-11-25.jsonl")), HasSubstr("{\"ts\":\"2026-11-25T00:00:00.000000Z\",\"seq\":3,"));
  ExpectWholeChain();
}

TEST_F(LogTest, AGroupOverMidnightIsSplitByTheTimesOfItsRecords) {
  clock_.SetWall(At(2026, 11, 25) - std::chrono::microseconds(1));
  Collector sink;
  std::vector<Ticket> tickets(2);
  {
    const auto log = OpenLog();
    Gate gate;
    Ticket held;
    log->Append(SomeRecord(), Durability::kWrite, held, gate);
    gate.WaitUntilReached();
    log->Append(SomeRecord("before"), Durability::kSync, tickets[0], sink);
    clock_.Advance(std::chrono::microseconds(1));
    log->Append(SomeRecord("after"), Durability::kSync, tickets[1], sink);
    gate.OpenGate();
    sink.WaitFor(2);
  }
  EXPECT_THAT(Slurp(PathOf("audit-2026-11-24.jsonl")), HasSubstr("before"));
  EXPECT_THAT(Slurp(PathOf("audit-2026-11-25.jsonl")), HasSubstr("after"));
  ExpectWholeChain();
}

TEST_F(LogTest, AClockThatGoesBackOverMidnightKeepsTheNewerFile) {
  clock_.SetWall(At(2026, 11, 25, hours(1)));
  {
    const auto log = OpenLog();
    Write(*log);
    clock_.SetWall(At(2026, 11, 24, hours(23)));
    Write(*log);
  }
  {
    const auto log = OpenLog();  // still in the older day
    Write(*log);
  }
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-25.jsonl"));
  ExpectWholeChain();
}

TEST_F(LogTest, AFullSegmentIsFollowedByANumberedOne) {
  options_.max_segment_bytes = 1500;
  {
    const auto log = OpenLog();
    for (int i = 0; i < 6; ++i) Write(*log);
  }
  const auto names = SegmentNames();
  ASSERT_GE(names.size(), 3U);
  EXPECT_EQ(names[1], "audit-2026-11-24.1.jsonl");
  EXPECT_EQ(names[2], "audit-2026-11-24.2.jsonl");
  for (const auto& name : names) EXPECT_LE(std::filesystem::file_size(PathOf(name)), 1500U) << name;
  ExpectWholeChain();
}

TEST_F(LogTest, RetentionDeletesAfterTellingFileNumberAndHash) {
  options_.retention_days = 30;
  { OpenLog(); }
  const auto old_lines = AllLines();
  const auto old_size = std::filesystem::file_size(PathOf("audit-2026-11-24.jsonl"));
  clock_.SetWall(At(2026, 12, 24, hours(8)));  // 30 days later: kept
  { OpenLog(); }
  EXPECT_EQ(SegmentNames().size(), 2U);
  clock_.SetWall(At(2026, 12, 25));  // 31 days
  { OpenLog(); }
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-12-24.jsonl", "audit-2026-12-25.jsonl"));
  const auto notes = LinesWithAction("retention");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("\"target\":\"audit-2026-11-24.jsonl\""));
  EXPECT_THAT(notes[0], HasSubstr("\"data\":{\"file\":\"audit-2026-11-24.jsonl\",\"bytes\":" + std::to_string(old_size) +
                                  ",\"seq\":2,\"sha256\":\"" + HashLine(old_lines[1]) + "\"}"));
  EXPECT_EQ(ParseLine(AllLines()[0])->prev, HashLine(old_lines[1]));
}

TEST_F(LogTest, ACommandAddsItsRecordsAndDeletesNothingAndDoesNotLookLikeAStart) {
  { OpenLog(); }
  options_.role = Role::kCommand;
  options_.retention_days = 1;
  clock_.SetWall(At(2027, 11, 24, hours(8)));
  {
    const auto log = OpenLog();
    EXPECT_EQ(Write(*log), 3U);
    clock_.SetWall(At(2027, 11, 26, hours(8)));
    EXPECT_EQ(Write(*log, Durability::kWrite), 4U);
  }
  EXPECT_THAT(SegmentNames(),
              ElementsAre("audit-2026-11-24.jsonl", "audit-2027-11-24.jsonl", "audit-2027-11-26.jsonl"));
  EXPECT_EQ(AllLines().size(), 4U) << "the server's start and stop, and the two records";
  EXPECT_GE(disk_.syncs, 1);
  ExpectWholeChain();
}

TEST_F(LogTest, ACommandSyncsItsLastRecordsWhenItCloses) {
  options_.role = Role::kCommand;
  options_.sync_interval = hours(1);
  auto log = OpenLog();
  Write(*log, Durability::kWrite);
  const int before = disk_.syncs;
  log.reset();
  EXPECT_EQ(disk_.syncs, before + 1);
}

TEST_F(LogTest, ACommandTouchesNothingBeforeItsFirstRecord) {
  options_.role = Role::kCommand;
  OpenLog().reset();
  EXPECT_FALSE(std::filesystem::exists(options_.directory));
}

TEST_F(LogTest, ACommandTellsOfATornLine) {
  { OpenLog(); }
  AppendBytes(PathOf("audit-2026-11-24.jsonl"), "{\"half");
  options_.role = Role::kCommand;
  EXPECT_EQ(Write(*OpenLog()), 4U);
  EXPECT_EQ(LinesWithAction("recovered").size(), 1U);
  ExpectWholeChain();
}

TEST_F(LogTest, ACommandLearnsAtItsRecordsWhyTheLogDoesNotOpen) {
  const auto server = OpenLog();
  options_.role = Role::kCommand;
  const auto log = OpenLog();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->AppendAndWait(SomeRecord(), Durability::kSync).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(log->AppendAndWait(SomeRecord(), Durability::kSync).error().kind, ErrorKind::kConflict);
}

TEST_F(LogTest, RetentionRunsWhenTheDayChangesUnderARunningLog) {
  options_.retention_days = 1;
  {
    const auto log = OpenLog();
    Write(*log);
    clock_.SetWall(At(2026, 11, 26));
    Write(*log);
  }
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-26.jsonl"));
  EXPECT_EQ(LinesWithAction("retention").size(), 1U);
}

TEST_F(LogTest, AFileStillInUseWhenTheDayChangedIsRetiredOnceTheNextIsBegun) {
  options_.retention_days = 1;
  {
    const auto log = OpenLog();
    Gate gate;
    Ticket held;
    log->Append(SomeRecord(), Durability::kWrite, held, gate);
    gate.WaitUntilReached();
    // The chores after this delivery see the new day, but the old day's file is the one in use.
    clock_.SetWall(At(2026, 11, 26));
    gate.OpenGate();
    Write(*log);
  }
  EXPECT_THAT(SegmentNames(), ElementsAre("audit-2026-11-26.jsonl"));
  EXPECT_EQ(LinesWithAction("retention").size(), 1U);
}

TEST_F(LogTest, ASecondProcessIsRefused) {
  const auto log = OpenLog();
  const pid_t child = fork();
  if (child == 0) {
    const auto second = Log::Open(options_, clock_);
    _exit(!second.ok() && second.error().kind == ErrorKind::kConflict ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto again = Log::Open(options_, clock_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST_F(LogTest, FilesThatOthersMayReadAreRefused) {
  { OpenLog(); }
  ASSERT_EQ(chmod(PathOf("audit-2026-11-24.jsonl").c_str(), 0644), 0);
  const auto log = Log::Open(options_, clock_);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().kind, ErrorKind::kForbidden);
  EXPECT_THAT(log.error().detail, HasSubstr("chmod"));
}

TEST_F(LogTest, ARetentionBelowOneDayIsRefused) {
  options_.retention_days = 0;
  EXPECT_FALSE(Log::Open(options_, clock_).ok());
}

TEST_F(LogTest, MembersOutsideTheSchemaAreCountedAndNeverWritten) {
  const auto log = OpenLog();
  Record record = SomeRecord();
  record.data.emplace_back("apiKey", std::string("hunter2"));
  ASSERT_TRUE(log->AppendAndWait(std::move(record), Durability::kWrite).ok());
  EXPECT_EQ(log->health().dropped_members, 1U);
  for (const auto& line : AllLines()) EXPECT_EQ(line.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace nd::audit
