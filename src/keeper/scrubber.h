// Takes a stored key out of bytes that came from a provider: in its own form and in the forms a program gives it by the
// way (JSON escapes, base64 at any offset, hex, percent-encoding).
//
// Streaming and linear in the input (Aho-Corasick). Only a suffix that may be the beginning of a form is held back.
// Not thread-safe. Not a cure for an upstream that hides the key on purpose: no filter is.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "ipc/wiping.h"

namespace nd::keeper {

// Every form of `key` that is searched for. Exposed for tests.
std::vector<ipc::Bytes> KeyForms(std::string_view key);

class Scrubber {
 public:
  // Precondition: `key` is 8 to 4096 printable ASCII characters without space (what IsUsableKey accepts).
  explicit Scrubber(const Secret& key);

  // Appends what is safe of everything pushed so far to `out`. The output does not depend on how the input was cut.
  void Push(std::string_view input, std::string& out);
  // The stream has ended: what was held back is safe. The scrubber can then be used for another stream.
  void Finish(std::string& out);
  // For a whole text, such as a header value. Not between Push and Finish of a stream.
  std::string Whole(std::string_view text);

 private:
  // A node of the trie of all forms. Siblings are few (the forms of one key share their first characters or differ at
  // once), so children are a linked list.
  struct Node {
    std::uint32_t first_child = 0;
    std::uint32_t next_sibling = 0;
    std::uint32_t fail = 0;
    std::uint32_t depth = 0;
    std::uint32_t match = 0;  // length of a form that ends here, or 0
    unsigned char byte = 0;
  };

  void Add(std::string_view form);
  void LinkFailures();
  std::uint32_t Child(std::uint32_t node, unsigned char byte) const;

  std::vector<Node, ipc::WipingAllocator<Node>> nodes_;
  std::array<std::uint32_t, 256> root_{};  // children of the root, by byte; 0 is the root itself
  std::string_view replacement_;
  std::uint32_t state_ = 0;
  ipc::Bytes held_;  // the last nodes_[state_].depth bytes of the input
};

// 8 to 4096 bytes of printable ASCII without spaces: what may stand in a header as a key.
[[nodiscard]] bool IsUsableKey(std::string_view key);

}  // namespace nd::keeper
