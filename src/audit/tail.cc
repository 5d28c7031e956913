#include "audit/tail.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace nd::audit {

namespace {

Error Damage(const std::string& path, std::uint64_t offset, std::string_view what) {
  return Internal(fmt::format(
      "{}: {} at byte {}; a crash does not leave this behind, so the log is not continued. Keep a copy of the audit "
      "directory, find out who changed the file, restore it from the copy you trust, and start again",
      path, what, offset));
}

// The lines of `window`, which begins at a line's beginning and ends behind a line feed, checked one by one.
struct Checked {
  std::size_t good_end = 0;  // within the window
  std::size_t last_begin = 0;
  std::uint64_t sequence = 0;
  std::string_view what;  // why the line at good_end is not accepted; empty if all are
};

Checked CheckLines(std::string_view window) {
  Checked checked;
  std::string expected_prev;
  for (std::size_t begin = 0; begin < window.size();) {
    const std::size_t end = window.find('\n', begin) + 1;
    const std::string_view line = window.substr(begin, end - begin);
    const auto head = ParseLine(line);
    if (!head) {
      checked.what = "a line that is no record";
    } else if (!expected_prev.empty() && head->prev != expected_prev) {
      checked.what = "a record that does not continue the one before";
    } else if (head->sequence <= checked.sequence) {
      checked.what = "a record whose number does not rise";
    }
    if (!checked.what.empty()) return checked;
    checked.good_end = end;
    checked.last_begin = begin;
    checked.sequence = head->sequence;
    expected_prev = HashLine(line);
    begin = end;
  }
  return checked;
}

}  // namespace

Result<std::string> ReadAt(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return InternalErrno("pread", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Result<Tail> ReadTail(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return InternalErrno("fstat " + path, errno);
  Tail tail;
  tail.size = static_cast<std::uint64_t>(info.st_size);

  for (std::size_t span = kTailWindow;; span *= 4) {
    // A window that does not begin with the file may begin inside a line, which is left out.
    const std::uint64_t begin = tail.size > span ? tail.size - span : 0;
    ND_ASSIGN(const std::string bytes, ReadAt(fd, begin, static_cast<std::size_t>(tail.size - begin)));
    if (bytes.size() != tail.size - begin) return Internal(path + " became shorter while it was read");
    std::size_t first = 0;
    if (begin > 0) first = bytes.find('\n') == std::string::npos ? bytes.size() : bytes.find('\n') + 1;
    const std::size_t last_feed = bytes.rfind('\n');
    const std::size_t whole_end = last_feed == std::string::npos ? 0 : last_feed + 1;
    const std::string_view window =
        whole_end > first ? std::string_view(bytes).substr(first, whole_end - first) : std::string_view();

    const Checked checked = CheckLines(window);
    if (!checked.what.empty() &&
        std::string_view(bytes).find('\0', first + checked.good_end) == std::string_view::npos) {
      return Damage(path, begin + first + checked.good_end, checked.what);
    }
    if (checked.good_end == 0 && begin > 0) {
      // No record that can be trusted in this window: look further back.
      if (span >= kMaxTorn) return Damage(path, begin, "no record in a long stretch");
      continue;
    }
    tail.end = checked.good_end == 0 ? 0 : begin + first + checked.good_end;
    if (checked.good_end != 0) {
      tail.last_begin = begin + first + checked.last_begin;
      tail.sequence = checked.sequence;
      tail.hash = HashLine(window.substr(checked.last_begin, checked.good_end - checked.last_begin));
    }
    return tail;
  }
}

}  // namespace nd::audit
