#include "keeper/scrubber.h"

#include <algorithm>
#include <optional>

namespace nd::keeper {

namespace {

constexpr std::size_t kMinKey = 8;
constexpr std::size_t kMaxKeySize = 4096;
constexpr char kLowerHex[] = "0123456789abcdef";
constexpr char kUpperHex[] = "0123456789ABCDEF";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kBase64Url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using ipc::Append;
using ipc::Bytes;

enum class Slash { kPlain, kEscaped };
enum class Html { kPlain, kLower, kUpper };

// What JSON writers make of printable ASCII: all escape quote and backslash, some the slash, some <, > and &.
Bytes JsonForm(std::string_view key, Slash slash, Html html) {
  Bytes form;
  for (const char c : key) {
    if (c == '"' || c == '\\' || (c == '/' && slash == Slash::kEscaped)) {
      form.push_back('\\');
      form.push_back(c);
    } else if (html != Html::kPlain && (c == '<' || c == '>' || c == '&' || c == '\'')) {
      const char* const digits = html == Html::kLower ? kLowerHex : kUpperHex;
      Append(form, "\\u00");
      form.push_back(digits[c >> 4]);
      form.push_back(digits[c & 15]);
    } else {
      form.push_back(c);
    }
  }
  return form;
}

Bytes PercentForm(std::string_view key, const char* digits, std::string_view kept) {
  Bytes form;
  for (const char c : key) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (alphanumeric || kept.find(c) != std::string_view::npos) {
      form.push_back(c);
    } else {
      form.push_back('%');
      form.push_back(digits[c >> 4]);
      form.push_back(digits[c & 15]);
    }
  }
  return form;
}

Bytes HexForm(std::string_view key, const char* digits) {
  Bytes form;
  for (const char c : key) {
    form.push_back(digits[c >> 4]);
    form.push_back(digits[c & 15]);
  }
  return form;
}

// The characters of a base64 text that depend on the key alone, if the key starts `offset` bytes after a multiple of
// three.
Bytes Base64Form(std::string_view key, std::size_t offset, const char* alphabet) {
  Bytes form;
  const std::size_t bits = 8 * (offset + key.size());
  for (std::size_t bit = (8 * offset + 5) / 6 * 6; bit + 6 <= bits; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const auto byte = static_cast<unsigned char>(key[i / 8 - offset]);
      value = value << 1 | (byte >> (7 - i % 8) & 1U);
    }
    form.push_back(alphabet[value]);
  }
  return form;
}

// A replacement that cannot become part of a form together with the bytes around it. Forms hold no space; and a form
// with neither bracket cannot reach into "[redacted]" from outside.
std::string_view ReplacementFor(const std::vector<Bytes>& forms) {
  constexpr std::string_view kUsual = "[redacted]";
  for (const Bytes& bytes : forms) {
    const std::string_view form = ipc::View(bytes);
    if (form.find('[') != form.npos || form.find(']') != form.npos || kUsual.find(form) != kUsual.npos) return " ";
  }
  return kUsual;
}

}  // namespace

bool IsUsableKey(std::string_view key) {
  return key.size() >= kMinKey && key.size() <= kMaxKeySize &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::vector<Bytes> KeyForms(std::string_view key) {
  std::vector<Bytes> forms;
  const auto add = [&forms](Bytes form) {
    if (std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(std::move(form));
  };
  add(Bytes(key.begin(), key.end()));
  for (const Slash slash : {Slash::kPlain, Slash::kEscaped}) {
    for (const Html html : {Html::kPlain, Html::kLower, Html::kUpper}) add(JsonForm(key, slash, html));
  }
  for (const char* digits : {kLowerHex, kUpperHex}) {
    add(HexForm(key, digits));
    add(PercentForm(key, digits, "-._~"));       // RFC 3986, unreserved
    add(PercentForm(key, digits, "-._~!*'()"));  // encodeURIComponent
    add(PercentForm(key, digits, "-._*"));       // application/x-www-form-urlencoded
  }
  for (const char* alphabet : {kBase64, kBase64Url}) {
    for (std::size_t offset = 0; offset < 3; ++offset) add(Base64Form(key, offset, alphabet));
  }
  return forms;
}

Scrubber::Scrubber(const Secret& key) {
  const std::vector<Bytes> forms = KeyForms(key.ExposeSecret());
  replacement_ = ReplacementFor(forms);
  std::size_t total = 1;
  for (const Bytes& form : forms) total += form.size();
  nodes_.reserve(total);
  nodes_.emplace_back();
  for (const Bytes& form : forms) Add(ipc::View(form));
  LinkFailures();
}

std::uint32_t Scrubber::Child(std::uint32_t node, unsigned char byte) const {
  if (node == 0) return root_[byte];
  std::uint32_t child = nodes_[node].first_child;
  while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].next_sibling;
  return child;
}

void Scrubber::Add(std::string_view form) {
  std::uint32_t node = 0;
  for (const char c : form) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = Child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      Node fresh;
      fresh.byte = byte;
      fresh.depth = nodes_[node].depth + 1;
      fresh.next_sibling = nodes_[node].first_child;
      nodes_.push_back(fresh);
      nodes_[node].first_child = next;
      if (node == 0) root_[byte] = next;
    }
    node = next;
  }
  nodes_[node].match = static_cast<std::uint32_t>(form.size());
}

// Breadth first, so that a node's failure link, which is shallower, is ready before it is followed.
void Scrubber::LinkFailures() {
  std::vector<std::uint32_t> queue{0};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t node = queue[i];
    for (std::uint32_t child = nodes_[node].first_child; child != 0; child = nodes_[child].next_sibling) {
      queue.push_back(child);
      if (node == 0) continue;  // fail stays at the root
      std::uint32_t fail = nodes_[node].fail;
      const unsigned char byte = nodes_[child].byte;
      while (fail != 0 && Child(fail, byte) == 0) fail = nodes_[fail].fail;
      nodes_[child].fail = Child(fail, byte);
      if (nodes_[child].match == 0) nodes_[child].match = nodes_[nodes_[child].fail].match;
    }
  }
}

void Scrubber::Push(std::string_view input, std::string& out) {
  // `window` is what was held followed by the input; [safe, at) is not yet decided.
  const std::size_t at_start = held_.size();
  Append(held_, input);
  const std::string_view window = ipc::View(held_);
  std::size_t released = 0;  // bytes of the window that were put out or replaced
  for (std::size_t at = at_start; at < window.size(); ++at) {
    const auto byte = static_cast<unsigned char>(window[at]);
    std::uint32_t next = Child(state_, byte);
    while (next == 0 && state_ != 0) {
      state_ = nodes_[state_].fail;
      next = Child(state_, byte);
    }
    state_ = next;
    if (nodes_[state_].match != 0) {
      const std::size_t begin = at + 1 - nodes_[state_].match;
      out.append(window.substr(released, begin - released)).append(replacement_);
      released = at + 1;
      state_ = 0;
    }
  }
  const std::size_t keep = nodes_[state_].depth;
  out.append(window.substr(released, window.size() - keep - released));
  held_.erase(held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(keep));
}

void Scrubber::Finish(std::string& out) {
  out.append(ipc::View(held_));
  held_.clear();
  state_ = 0;
}

std::string Scrubber::Whole(std::string_view text) {
  std::string out;
  Push(text, out);
  Finish(out);
  return out;
}

}  // namespace nd::keeper
