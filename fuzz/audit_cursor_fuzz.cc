// Cursors, file names and whole segments from outside: parsed strictly, printed back the same, read without a crash and
// without giving out anything that is not a record.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "audit/cursor.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "audit/segment.h"
#include "audit/tail.h"
#include "base/files.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string MakeDirectory() {
  std::string pattern = "/tmp/nd-audit-fuzz-XXXXXX";
  Require(mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

// Up to the first line feed the input is a cursor, the rest is a segment's content.
void ReadAsSegment(std::string_view input) {
  static const std::string directory = MakeDirectory();
  static const std::string path = directory + "/audit-2026-11-24.jsonl";
  const std::size_t feed = input.find('\n');
  if (feed == std::string_view::npos) return;
  const std::string cursor(input.substr(0, feed));
  const nd::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Require(static_cast<bool>(fd) && nd::WriteAll(fd.get(), input.substr(feed + 1)).ok());

  const nd::audit::Reader reader(directory);
  nd::audit::Query query;
  query.limit = 2;
  std::size_t records = 0;
  for (std::size_t pages = 0;; ++pages) {
    Require(pages <= input.size());
    const auto page = reader.Read(query);
    Require(page.ok() && page->records.size() <= query.limit);
    records += page->records.size();
    for (const std::string& record : page->records) Require(nd::audit::ParseLine(record + "\n").has_value());
    if (!page->next) break;
    query.cursor = page->next;
  }
  query.limit = 1000;
  query.cursor.reset();
  const auto whole = reader.Read(query);
  Require(whole.ok() && (records > 1000 || whole->records.size() == records));
  query.cursor = cursor;
  static_cast<void>(reader.Read(query));

  const auto tail = nd::audit::ReadTail(fd.get(), path);
  if (tail.ok()) Require(tail->end <= tail->size && (tail->sequence == 0) == (tail->end == 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto cursor = nd::audit::Cursor::Parse(input)) Require(cursor->Format() == input);
  if (const auto segment = nd::audit::Segment::Parse(input)) Require(segment->FileName() == input);
  if (const auto torn = nd::audit::TornFile::Parse(input)) Require(torn->name == input);
  ReadAsSegment(input);
  return 0;
}
