#include "audit/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/cursor.h"
#include "audit/record.h"
#include "audit/segment.h"
#include "audit/tail.h"
#include "base/files.h"

namespace nd::audit {

namespace {

constexpr std::size_t kBlock = 64 * 1024;

// The lines of one file from `end` backwards. Holds at most one line and one block.
class BackwardLines {
 public:
  // `end` is behind a line feed, or 0.
  BackwardLines(int fd, std::uint64_t end) : fd_(fd), end_(end), begin_(end) {}

  // Where the lines not yet taken end.
  std::uint64_t position() const { return end_; }

  struct Line {
    std::string text;    // with its line feed; empty if longer than any record
    bool found = false;  // false at the beginning of the file
  };
  Result<Line> Next() {
    Line line;
    if (end_ == 0) return line;
    line.found = true;
    bool too_long = false;
    for (;;) {
      // held_ are the bytes [begin_, end_), less what a line that is too long has shed.
      const std::size_t feed = held_.size() < 2 ? std::string::npos : held_.rfind('\n', held_.size() - 2);
      if (feed != std::string::npos || begin_ == 0) {
        const std::size_t start = feed == std::string::npos ? 0 : feed + 1;
        if (!too_long) line.text = held_.substr(start);
        end_ = begin_ + start;
        held_.resize(start);
        if (line.text.size() > kMaxLine) line.text.clear();
        return line;
      }
      if (held_.size() > kMaxLine) {
        // No record is this long: the rest of the line is passed over without keeping it.
        too_long = true;
        held_ = "\n";
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(begin_, kBlock));
      ND_ASSIGN(const std::string block, ReadAt(fd_, begin_ - size, size));
      if (block.size() != size) return Internal("an audit file became shorter while it was read");
      begin_ -= size;
      held_.insert(0, block);
    }
  }

 private:
  int fd_;
  std::uint64_t end_;
  std::uint64_t begin_;
  std::string held_;
};

Error ForeignCursor() {
  return InvalidInput("The cursor is not one of this log. Leave it out to start with the newest record.");
}

struct OpenedFile {
  UniqueFd fd;
  std::uint64_t size = 0;
};

Result<OpenedFile> OpenForReading(const std::string& path) {
  OpenedFile file;
  file.fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.fd) {
    const std::string detail = "open " + path + ": " + std::strerror(errno);
    if (errno == ENOENT) return NotFound("The file is gone.", detail);
    if (errno == EACCES) return Forbidden("The server may not read its audit log.", detail);
    return Internal(detail);
  }
  struct stat info;
  if (fstat(file.fd.get(), &info) != 0) return InternalErrno("fstat " + path, errno);
  if (!S_ISREG(info.st_mode)) return Internal(path + " is not a regular file");
  file.size = static_cast<std::uint64_t>(info.st_size);
  return file;
}

// Behind the last line feed of the file, so that a line still being written is left out.
Result<std::uint64_t> EndOfLines(const OpenedFile& file) {
  for (std::uint64_t end = file.size; end > 0;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, kBlock));
    ND_ASSIGN(const std::string block, ReadAt(file.fd.get(), end - size, size));
    const std::size_t feed = block.rfind('\n');
    if (feed != std::string::npos) return end - size + feed + 1;
    end -= size;
  }
  return std::uint64_t{0};
}

Result<void> RequireLineEnd(const OpenedFile& file, std::uint64_t offset) {
  if (offset == 0) return {};
  if (offset > file.size) return ForeignCursor();
  ND_ASSIGN(const std::string before, ReadAt(file.fd.get(), offset - 1, 1));
  if (before != "\n") return ForeignCursor();
  return {};
}

}  // namespace

Result<Page> Reader::Read(const Query& query) const {
  if (query.limit < 1 || query.limit > 1000) return InvalidInput("The limit must be a whole number from 1 to 1000.");
  std::optional<Cursor> cursor;
  if (query.cursor) {
    cursor = Cursor::Parse(*query.cursor);
    if (!cursor) return ForeignCursor();
  }
  auto listed = ListDirectory(directory_);
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  std::vector<Segment> segments;
  if (listed.ok()) segments = std::move(listed->segments);
  if (cursor && (segments.empty() || cursor->segment > segments.back())) return ForeignCursor();

  Page page;
  std::size_t bytes = 0;
  for (std::size_t i = segments.size(); i > 0; --i) {
    const Segment& segment = segments[i - 1];
    if (cursor && segment > cursor->segment) continue;
    auto file = OpenForReading(directory_ + "/" + segment.FileName());
    if (!file.ok()) {
      // Deleted by retention since the listing.
      if (file.error().kind == ErrorKind::kNotFound) continue;
      return std::move(file).error();
    }
    std::uint64_t end = 0;
    if (cursor && segment == cursor->segment) {
      end = cursor->offset;
      ND_TRY(RequireLineEnd(*file, end));
    } else {
      ND_ASSIGN(end, EndOfLines(*file));
    }
    BackwardLines lines(file->fd.get(), end);
    for (;;) {
      if (lines.position() > 0 && (page.records.size() == query.limit || bytes > kMaxPageBytes)) {
        page.next = Cursor{segment, lines.position()}.Format();
        return page;
      }
      const std::uint64_t before = lines.position();
      ND_ASSIGN(auto line, lines.Next());
      if (!line.found) break;
      bytes += static_cast<std::size_t>(before - lines.position());
      if (!ParseLine(line.text)) {
        ++page.damaged;
        continue;
      }
      line.text.pop_back();
      page.records.push_back(std::move(line.text));
    }
  }
  return page;
}

}  // namespace nd::audit
