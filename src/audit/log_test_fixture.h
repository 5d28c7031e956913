// Verbs for the tests of the audit log: a directory of its own, records, lines as they stand in the files, failing
// disks. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "audit/disk.h"
#include "audit/log.h"
#include "audit/record.h"
#include "audit/segment.h"
#include "base/json.h"

namespace nd::audit {

inline WallTime At(int year, unsigned month, unsigned day, std::chrono::microseconds time_of_day = {}) {
  return WallTime(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day))) +
         time_of_day;
}

inline Record SomeRecord(std::string target = "openai") {
  Record record;
  record.event = Event::kApiKeyOperation;
  record.vocabulary = "sensitive_update";
  record.actor = {ActorKind::kUser, "alice", std::nullopt};
  record.session = "k3VxNq0000000000a";
  record.address = "127.0.0.1";
  record.request_id = "01JDEXAMPLE000000000000000";
  record.action = "update";
  record.target = std::move(target);
  record.data = {{"scope", std::string("global")}, {"keyVersion", std::int64_t{2}}};
  return record;
}

// A disk that fails on demand. Set from the test's thread, asked on the writer's.
class FailingDisk final : public Disk {
 public:
  std::atomic<int> write_error{0};
  std::atomic<int> sync_error{0};
  std::atomic<int> sync_error_once{0};
  std::atomic<int> allocate_error{0};
  std::atomic<long> write_at_most{0};  // bytes taken before write_error; 0: none
  std::atomic<int> syncs{0};
  std::atomic<int> writes{0};

  ssize_t Write(int fd, const void* bytes, std::size_t size) override {
    ++writes;
    if (const int error = write_error; error != 0) {
      const auto take = static_cast<std::size_t>(write_at_most.exchange(0));
      if (take > 0) return Disk::Write(fd, bytes, std::min(take, size));
      errno = error;
      return -1;
    }
    return Disk::Write(fd, bytes, size);
  }
  int DataSync(int fd) override {
    ++syncs;
    int error = sync_error_once.exchange(0);
    if (error == 0) error = sync_error;
    if (error != 0) {
      errno = error;
      return -1;
    }
    return Disk::DataSync(fd);
  }
  int Allocate(int fd, off_t size) override {
    const int error = allocate_error;
    return error != 0 ? error : Disk::Allocate(fd, size);
  }
};

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "nd-audit-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    options_.directory = root_ + "/audit";
    options_.retry_interval = std::chrono::milliseconds(1);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<Log> OpenLog() {
    auto log = Log::Open(options_, clock_, disk_);
    EXPECT_TRUE(log.ok()) << (log.ok() ? "" : log.error().detail);
    return log.ok() ? *std::move(log) : nullptr;
  }
  std::uint64_t Write(Log& log, Durability durability = Durability::kSync) {
    auto written = log.AppendAndWait(SomeRecord(), durability);
    EXPECT_TRUE(written.ok());
    return written.ok() ? *written : 0;
  }
  // Tries until the log has healed; it tries by itself every millisecond here.
  static bool WriteOnceHealed(Log& log) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (log.AppendAndWait(SomeRecord(), Durability::kSync).ok()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  std::string PathOf(const std::string& name) const { return options_.directory + "/" + name; }
  static std::string Slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void AppendBytes(const std::string& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::app);
    file << bytes;
  }
  std::vector<std::string> SegmentNames() const {
    std::vector<std::string> names;
    const auto listing = ListDirectory(options_.directory);
    EXPECT_TRUE(listing.ok());
    for (const Segment& segment : listing->segments) names.push_back(segment.FileName());
    return names;
  }
  static std::vector<std::string> LinesOf(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) {
        lines.push_back(text.substr(begin));
        break;
      }
      lines.push_back(text.substr(begin, end + 1 - begin));
      begin = end + 1;
    }
    return lines;
  }
  // All lines of all segments, oldest first.
  std::vector<std::string> AllLines() const {
    std::vector<std::string> lines;
    for (const std::string& name : SegmentNames()) {
      for (std::string& line : LinesOf(Slurp(PathOf(name)))) lines.push_back(std::move(line));
    }
    return lines;
  }
  // Every line is a record, names the one before, and numbers rise by one.
  void ExpectWholeChain() const {
    std::string prev(kFirstPrev);
    std::uint64_t sequence = 0;
    for (const std::string& line : AllLines()) {
      const auto head = ParseLine(line);
      ASSERT_TRUE(head.has_value()) << line;
      ASSERT_EQ(head->prev, prev) << line;
      ASSERT_EQ(head->sequence, sequence + 1) << line;
      prev = HashLine(line);
      ++sequence;
    }
  }
  std::vector<std::string> LinesWithAction(std::string_view action) const {
    std::vector<std::string> found;
    const std::string wanted = "\"action\":\"" + std::string(action) + "\"";
    for (const std::string& line : AllLines()) {
      if (line.find(wanted) != std::string::npos) found.push_back(line);
    }
    return found;
  }

  std::string root_;
  Options options_;
  ManualClock clock_{At(2026, 11, 24, std::chrono::hours(8))};
  FailingDisk disk_;
};

}  // namespace nd::audit
