#include "audit/reader.h"

#include <gmock/gmock.h>

#include "audit/cursor.h"
#include "audit/log_test_fixture.h"
#include "base/text.h"

namespace nd::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReaderTest : public LogTest {
 protected:
  Page ReadPage(std::size_t limit, std::optional<std::string> cursor = std::nullopt) {
    auto page = Reader(options_.directory).Read({limit, std::move(cursor)});
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().detail);
    return page.ok() ? *std::move(page) : Page();
  }
  ErrorKind Refusal(std::size_t limit, std::optional<std::string> cursor = std::nullopt) {
    const auto page = Reader(options_.directory).Read({limit, std::move(cursor)});
    EXPECT_FALSE(page.ok());
    return page.ok() ? ErrorKind::kInternal : page.error().kind;
  }
  // Pages through everything; the numbers in the order they came.
  std::vector<std::uint64_t> ReadAll(std::size_t limit) {
    std::vector<std::uint64_t> numbers;
    std::optional<std::string> cursor;
    do {
      Page page = ReadPage(limit, cursor);
      EXPECT_LE(page.records.size(), limit);
      for (const auto& record : page.records) numbers.push_back(ParseLine(record + "\n")->sequence);
      cursor = page.next;
    } while (cursor);
    return numbers;
  }
  std::vector<std::uint64_t> Down(std::uint64_t from) {
    std::vector<std::uint64_t> numbers;
    for (; from > 0; --from) numbers.push_back(from);
    return numbers;
  }
  // Records up to number `count` over several days and numbered files.
  void Fill(std::uint64_t count) {
    options_.max_segment_bytes = 4000;
    const auto log = OpenLog();
    while (log->last_sequence() + 1 < count) {
      if (log->last_sequence() % 20 == 0) clock_.Advance(std::chrono::hours(24));
      ASSERT_TRUE(log->AppendAndWait(SomeRecord(), Durability::kWrite).ok());
    }
  }
};

TEST_F(ReaderTest, ALogThatDoesNotExistIsEmpty) {
  const Page page = ReadPage(100);
  EXPECT_TRUE(page.records.empty());
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(ReaderTest, RecordsComeNewestFirstAsTheyStandInTheFile) {
  {
    const auto log = OpenLog();
    Write(*log);
  }
  auto lines = AllLines();
  const Page page = ReadPage(100);
  ASSERT_EQ(page.records.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(page.records[i] + "\n", lines[2 - i]);
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(ReaderTest, PagesOfAnySizeGiveEveryRecordOnceOverAllFiles) {
  Fill(100);
  ASSERT_GT(SegmentNames().size(), 5U);
  for (const std::size_t limit : {1U, 2U, 7U, 99U, 100U, 101U, 1000U}) EXPECT_EQ(ReadAll(limit), Down(100)) << limit;
}

TEST_F(ReaderTest, NextIsAbsentExactlyOnTheLastPage) {
  Fill(10);
  EXPECT_TRUE(ReadPage(9).next.has_value());
  EXPECT_FALSE(ReadPage(10).next.has_value());
  EXPECT_FALSE(ReadPage(11).next.has_value());
}

TEST_F(ReaderTest, TheLimitGoesFromOneToAThousand) {
  Fill(3);
  EXPECT_EQ(Refusal(0), ErrorKind::kInvalidInput);
  EXPECT_EQ(ReadPage(1).records.size(), 1U);
  EXPECT_EQ(ReadPage(1000).records.size(), 3U);
  EXPECT_EQ(Refusal(1001), ErrorKind::kInvalidInput);
}

TEST_F(ReaderTest, RecordsWrittenMeanwhileDoNotMoveAPage) {
  const auto log = OpenLog();
  for (int i = 0; i < 5; ++i) Write(*log);
  const Page first = ReadPage(2);
  Write(*log);
  const Page second = ReadPage(2, first.next);
  ASSERT_EQ(second.records.size(), 2U);
  EXPECT_EQ(ParseLine(second.records[0] + "\n")->sequence, 4U);
}

TEST_F(ReaderTest, ForeignCursorsAreRefused) {
  Fill(10);
  const std::string good = *ReadPage(3).next;
  const auto parsed = Cursor::Parse(good);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->Format(), good);
  Cursor inside = *parsed;
  inside.offset -= 1;
  Cursor beyond = *parsed;
  beyond.offset = 1 << 30;
  Cursor future = *parsed;
  future.segment.day += std::chrono::days(1000);
  for (const std::string& cursor :
       {std::string(), std::string("x"), good + "A", good.substr(1), good + "=", " " + good,
        std::string("../../../etc/passwd!"),
        std::string(20, 'A'), std::string(20, '_'), std::string(19, 'A') + "\n",
        EncodeBase64Url(std::string(15, '\xff')),
        inside.Format(), beyond.Format(), future.Format()}) {
    EXPECT_EQ(Refusal(10, cursor), ErrorKind::kInvalidInput) << cursor;
  }
}

TEST_F(ReaderTest, ACursorIntoADeletedFileGoesOnWithWhatIsOlder) {
  Fill(100);
  const auto names = SegmentNames();
  const Segment deleted = *Segment::Parse(names[2]);
  std::filesystem::remove(PathOf(names[2]));
  const Page page = ReadPage(1000, Cursor{deleted, 0}.Format());
  ASSERT_FALSE(page.records.empty());
  const auto older = LinesOf(Slurp(PathOf(names[1])));
  EXPECT_EQ(page.records[0] + "\n", older.back());
  for (const auto& name : names) {
    if (name != names.back()) std::filesystem::remove(PathOf(name));
  }
  EXPECT_TRUE(ReadPage(10, Cursor{deleted, 0}.Format()).records.empty());
}

TEST_F(ReaderTest, ALineStillBeingWrittenIsLeftOut) {
  { OpenLog(); }
  const auto file = PathOf("audit-2026-11-24.jsonl");
  AppendBytes(file, "{\"ts\":\"half");
  EXPECT_EQ(ReadPage(10).records.size(), 2U);
  EXPECT_EQ(ReadPage(10).damaged, 0U);
  AppendBytes(file, std::string(200'000, 'x'));
  EXPECT_EQ(ReadPage(10).records.size(), 2U);
}

TEST_F(ReaderTest, DamagedLinesArePassedOverAndCounted) {
  { OpenLog(); }
  const auto file = PathOf("audit-2026-11-24.jsonl");
  const auto lines = AllLines();
  AppendBytes(file, "garbage\n\n" + std::string(300'000, 'x') + "\n" + lines[0]);
  const Page page = ReadPage(10);
  EXPECT_EQ(page.records.size(), 3U);
  EXPECT_EQ(page.damaged, 3U);
}

TEST_F(ReaderTest, LinesOverBlockEdgesAreWhole) {
  const auto log = OpenLog();
  for (std::size_t size = 0; size < 300; ++size) {
    ASSERT_TRUE(log->AppendAndWait(SomeRecord(std::string(size * 7 % 1000, 'x')), Durability::kWrite).ok());
  }
  EXPECT_EQ(ReadAll(1000), Down(301));
  EXPECT_EQ(ReadAll(13), Down(301));
}

TEST_F(ReaderTest, TheLongestLinesAreRead) {
  const auto log = OpenLog();
  for (int i = 0; i < 3; ++i) {
    Record record = SomeRecord(std::string(16'384, 'x'));
    record.data = {{"scope", std::string(16'384, 'x')}, {"label", std::string(16'384, 'x')}};
    ASSERT_TRUE(log->AppendAndWait(std::move(record), Durability::kWrite).ok());
  }
  EXPECT_EQ(ReadAll(1000), Down(4));
}

TEST_F(ReaderTest, APageOfLongRecordsEndsEarlyAndLosesNothing) {
  const auto log = OpenLog();
  for (int i = 0; i < 200; ++i) {
    Record record = SomeRecord(std::string(16'384, 'x'));
    record.data = {{"scope", std::string(16'384, 'x')}, {"label", std::string(16'384, 'x')}};
    ASSERT_TRUE(log->AppendAndWait(std::move(record), Durability::kWrite).ok());
  }
  EXPECT_LT(ReadPage(1000).records.size(), 200U);
  EXPECT_EQ(ReadAll(1000), Down(201));
}

TEST_F(ReaderTest, NamesOfOtherFormsAreNotRead) {
  { OpenLog(); }
  for (const char* name : {"audit-2026-13-01.jsonl", "audit-2026-11-25.0.jsonl", "audit-2026-11-25.01.jsonl", "audit-x.jsonl",
                           "audit-2026-11-25.jsonl.bak", "notes.txt"}) {
    AppendBytes(PathOf(name), AllLines()[0]);
  }
  EXPECT_EQ(ReadPage(10).records.size(), 2U);
}

TEST(SegmentName, GoesBothWaysAndInOrder) {
  const auto parsed = [](std::string_view name) { return Segment::Parse(name); };
  for (const char* name : {"audit-2026-11-24.jsonl", "audit-2026-11-24.1.jsonl", "audit-2024-02-29.999999999.jsonl"}) {
    ASSERT_TRUE(parsed(name).has_value()) << name;
    EXPECT_EQ(parsed(name)->FileName(), name);
  }
  for (const char* name : {"", "audit-", "audit-2026-11-24", "audit-2026-11-24.jsonl ", "audit-2026-02-29.jsonl", "audit-2026-11-24.+1.jsonl",
                           "audit-2026-11-24.1234567890.jsonl", "audit-2026-11-24..jsonl", "Audit-2026-11-24.jsonl"}) {
    EXPECT_FALSE(parsed(name).has_value()) << name;
  }
  EXPECT_LT(parsed("audit-2026-11-24.jsonl"), parsed("audit-2026-11-24.1.jsonl"));
  EXPECT_LT(parsed("audit-2026-11-24.2.jsonl"), parsed("audit-2026-11-24.10.jsonl"));
  EXPECT_LT(parsed("audit-2026-11-24.10.jsonl"), parsed("audit-2026-11-25.jsonl"));
  EXPECT_EQ(TornFile::Parse("torn-4-2026-11-24.bin")->sequence, 4U);
  EXPECT_TRUE(TornFile::Parse("torn-4-2026-11-24.9.bin").has_value());
  for (const char* name : {"torn-04-2026-11-24.bin", "torn--2026-11-24.bin", "torn-4-2026-11-24.0.bin", "torn-4-2026-11-24.10.bin"}) {
    EXPECT_FALSE(TornFile::Parse(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace nd::audit
