// First line: the key. Second: bytes that say where the text is cut. The rest: the text, in which 0x01 stands for the
// key and 0x02 to 0x1f for one of its forms. However it is cut, the output is the same and holds no form of the key.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "keeper/scrubber.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nd;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
  };
  const std::string_view key = line();
  const std::string_view cuts = line();
  if (!keeper::IsUsableKey(key)) return 0;
  const auto forms = keeper::KeyForms(key);
  std::string text;
  for (const char c : rest) {
    if (c > 0 && c < 0x20) {
      text += ipc::View(forms[static_cast<std::size_t>(c - 1) % forms.size()]);
    } else {
      text += c;
    }
  }

  keeper::Scrubber scrubber{Secret(key)};
  const std::string whole = scrubber.Whole(text);
  std::string pieces;
  std::string_view left = text;
  for (std::size_t i = 0; !left.empty(); ++i) {
    const std::size_t step = cuts.empty() ? 1 : static_cast<unsigned char>(cuts[i % cuts.size()]) % 64 + 1;
    scrubber.Push(left.substr(0, step), pieces);
    left.remove_prefix(std::min(step, left.size()));
  }
  scrubber.Finish(pieces);
  if (pieces != whole) abort();
  for (const auto& form : forms) {
    if (whole.find(ipc::View(form)) != std::string::npos) abort();
  }
  bool clean = true;
  for (const auto& form : forms) clean = clean && text.find(ipc::View(form)) == std::string::npos;
  if (clean && whole != text) abort();
  return 0;
}
