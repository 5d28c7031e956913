#include "audit/writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "audit/notes.h"
#include "audit/record.h"
#include "base/log.h"

namespace nd::audit {

namespace {
constexpr std::size_t kKeptBuffer = 1 << 20;  // a larger one is given back after its group
}  // namespace

Writer::Writer(const Options& options, const Clock& clock, Disk& disk)
    : options_(options), clock_(clock), disk_(disk), prev_(kFirstPrev) {}

Result<void> Writer::Start() {
  if (options_.retention_days < 1) return InvalidInput("Audit records must be kept for at least one day.");
  ND_TRY(EnsurePrivateDirectory(options_.directory));
  ND_ASSIGN(FileLock lock, FileLock::Acquire(PathOf("lock")));
  lock_ = std::move(lock);

  auto recovered = Reopen();
  if (!recovered.ok() && recovered.error().kind == ErrorKind::kUnavailable) {
    // The reserve of the run before may be all the space there is for putting torn bytes aside.
    ReleaseReserve();
    recovered = Reopen();
  }
  next_number_ = false;
  if (!recovered.ok()) {
    if (recovered.error().kind != ErrorKind::kUnavailable) return recovered;
    Degrade(recovered.error(), 0);
    return {};
  }
  std::vector<Record> notes = NotesOfRecovery();
  if (options_.role == Role::kServer) notes.push_back(StartNote());
  auto begun = WriteOwn(notes);
  if (begun.ok()) {
    torn_.clear();
    begun = EnsureReserve();
  }
  if (!begun.ok()) Degrade(begun.error(), 0);
  if (!degraded_) RetireOldFiles();
  return {};
}

void Writer::Write(std::span<Pending> items) {
  std::size_t done = 0;
  Result<void> written;
  if (degraded_) {
    refused_.fetch_add(items.size(), std::memory_order_relaxed);
  } else {
    written = WriteRuns(items, done);
  }
  for (Pending& item : items.subspan(done)) {
    if (item.ticket != nullptr) item.ticket->sequence = RefusedError();
  }
  if (!written.ok()) Degrade(written.error(), items.size() - done);
}

// Writes runs of records that go to the same file. On failure the first `done` records are as durable as was asked.
Result<void> Writer::WriteRuns(std::span<Pending> items, std::size_t& done) {
  done = 0;
  std::size_t next = 0;
  while (next < items.size()) {
    const std::size_t size = items[next].body.size() + kMaxFrame;
    ND_TRY(Place(items[next].at, size));
    ND_TRY(RequireUntouched());

    buffer_.clear();
    std::uint64_t sequence = sequence_;
    std::string prev = prev_;
    bool sync = false;
    do {
      Pending& item = items[next];
      const std::size_t begin = buffer_.size();
      AppendLine(buffer_, item.at, ++sequence, item.body, prev);
      prev = HashLine(std::string_view(buffer_).substr(begin));
      if (item.ticket != nullptr) item.ticket->sequence = sequence;
      sync = sync || item.durability == Durability::kSync || options_.least == Durability::kSync;
      ++next;
    } while (next < items.size() && DayOf(items[next].at) <= segment_->day &&
             size_ + buffer_.size() + items[next].body.size() + kMaxFrame <= options_.max_segment_bytes);

    ND_TRY(Put(buffer_));
    sequence_ = sequence;
    prev_ = std::move(prev);
    if (sync) ND_TRY(Sync());
    last_sequence_.store(sequence_, std::memory_order_release);
    last_hash_ = prev_;
    done = next;
  }
  if (buffer_.capacity() > kKeptBuffer) buffer_ = std::string();
  return {};
}

// Makes the segment in use the one that takes a record of this time and size.
Result<void> Writer::Place(WallTime at, std::size_t line_size) {
  const Day day = segment_ ? std::max(DayOf(at), segment_->day) : DayOf(at);
  const bool new_day = !segment_ || day > segment_->day;
  const bool full = size_ > 0 && size_ + line_size > options_.max_segment_bytes;
  if (!new_day && !full && !next_number_) return fd_ ? Result<void>() : OpenSegment(*segment_, size_);
  if (fd_) {
    if (dirty_) ND_TRY(Sync());
    fd_.Reset();
  }
  return OpenSegment(new_day ? Segment{day, 0} : Segment{day, segment_->index + 1}, 0);
}

// Opens or creates `segment`, which must have exactly `size` bytes and be ours alone.
Result<void> Writer::OpenSegment(const Segment& segment, std::uint64_t size) {
  const std::string path = PathOf(segment.FileName());
  fd_ = UniqueFd(disk_.Open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) return Fault("open", path, errno);
  segment_ = segment;
  size_ = size;
  next_number_ = false;
  ND_TRY(RequirePrivateFile(path));
  ND_TRY(RequireUntouched());
  if (size == 0) ND_TRY(SyncDirectoryOf(options_.directory));
  return {};
}

// The file must be as long as we made it and still have a name: whoever cuts or removes it under a running server is
// noticed at the next record.
Result<void> Writer::RequireUntouched() {
  struct stat info;
  if (fstat(fd_.get(), &info) != 0) return Fault("fstat", PathOf(segment_->FileName()), errno);
  if (info.st_nlink > 0 && static_cast<std::uint64_t>(info.st_size) == size_) return {};
  disk_full_ = false;
  return Unavailable("The audit log cannot be written at the moment.",
                     fmt::format("{} was changed or removed by someone else", PathOf(segment_->FileName())));
}

Result<void> Writer::Put(std::string_view bytes) {
  if (!dirty_) {
    dirty_ = true;
    dirty_since_ = clock_.Steady();
  }
  while (!bytes.empty()) {
    const ssize_t written = disk_.Write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Fault("write", PathOf(segment_->FileName()), written < 0 ? errno : EIO);
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> Writer::Sync() {
  if (disk_.DataSync(fd_.get()) != 0) return Fault("fdatasync", PathOf(segment_->FileName()), errno);
  dirty_ = false;
  return {};
}

// Records of the log's own: always durable.
Result<void> Writer::WriteOwn(std::span<const Record> records) {
  std::vector<Pending> items;
  for (const Record& record : records) {
    items.push_back({RenderBody(record).json, clock_.Now(), Durability::kSync, nullptr, nullptr});
  }
  std::size_t done = 0;
  return WriteRuns(items, done);
}

void Writer::DoChores(Waited waited) {
  if (degraded_) {
    if (waited == Waited::kFully || clock_.Steady() >= next_attempt_) Heal();
    return;
  }
  if (dirty_ && (waited == Waited::kFully || clock_.Steady() - dirty_since_ >= options_.sync_interval)) {
    if (const auto synced = Sync(); !synced.ok()) return Degrade(synced.error(), 0);
  }
  if (retired_ != Retired{DayOf(clock_.Now()), segment_}) RetireOldFiles();
}

std::chrono::microseconds Writer::Patience() const {
  const auto until = [&](SteadyTime due) -> std::chrono::microseconds {
    return std::max(due - clock_.Steady(), std::chrono::microseconds(1));
  };
  if (degraded_) return until(next_attempt_);
  if (dirty_) return until(dirty_since_ + options_.sync_interval);
  return std::chrono::minutes(1);
}

void Writer::Stop() {
  if (degraded_) Heal();
  if (degraded_) return;
  if (options_.role == Role::kServer) {
    const Record note = StopNote();
    if (const auto written = WriteOwn({&note, 1}); !written.ok()) {
      LogError("audit: the stop record could not be written: " + written.error().detail);
    }
  } else if (dirty_) {
    if (const auto synced = Sync(); !synced.ok()) LogError("audit: the last sync failed: " + synced.error().detail);
  }
  fd_.Reset();
}

Error Writer::Fault(std::string_view call, const std::string& path, int error_number) {
  disk_full_ = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return DiskFault(call, path, error_number);
}

}  // namespace nd::audit
