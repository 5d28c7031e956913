// A provider's answer, and the facts taken from it. However the bytes are cut, the answer is the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "keeper/upstream_facts.h"
#include "keeper/upstream_parser.h"

namespace {

struct Answer {
  bool ok = true, done = false, have_head = false;
  int status = 0;
  std::string type, retry_after, body;
  bool operator==(const Answer&) const = default;
};

Answer Read(std::string_view bytes, std::size_t step) {
  nd::keeper::UpstreamParser parser;
  Answer answer;
  while (!bytes.empty() && answer.ok && !parser.done()) {
    answer.ok = parser.Push(bytes.substr(0, step), answer.body).ok();
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  if (answer.ok) answer.ok = parser.End().ok();
  answer.done = parser.done();
  answer.have_head = parser.have_head();
  if (answer.ok && answer.have_head) {
    answer.status = parser.head().status;
    answer.type = parser.head().content_type;
    answer.retry_after = parser.head().retry_after;
    if (answer.status < 200 || answer.status > 999) abort();
    static_cast<void>(parser.reusable());
  }
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nd::keeper;
  if (size > 16 * 1024) return 0;  // beyond, the bound on pending framing depends on how much came at once
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Answer whole = Read(bytes, bytes.size() + 1);
  const Answer pieces = Read(bytes, 7);
  // A broken answer may break before or after more of its body; a whole one is whole.
  if (whole.ok != pieces.ok || (whole.ok && whole != pieces)) abort();
  for (const std::string_view text : {bytes, std::string_view(whole.type), std::string_view(whole.retry_after)}) {
    if (const auto type = PlainMediaType(text); type && type->find_first_of("\r\n \";") != std::string::npos) abort();
    if (const auto seconds = RetryAfterSeconds(text, nd::WallTime()); seconds && (*seconds < 0 || *seconds > 86'400))
      abort();
  }
  for (const std::string_view text : {bytes, std::string_view(whole.body)}) {
    if (ErrorCodeOf(text).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) abort();
  }
  return 0;
}
