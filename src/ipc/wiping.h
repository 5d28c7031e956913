// Byte buffers whose memory is overwritten whenever it is given back, growth included: messages carry keys.
//
// Not locked memory, and not for long-lived keys (see base/secret.h and the crypto room).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace nd::ipc {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* data, std::size_t count) {
    WipeMemory(data, count * sizeof(T));
    std::allocator<T>().deallocate(data, count);
  }
  template <class U>
  bool operator==(const WipingAllocator<U>&) const {
    return true;
  }
};

// A vector, not a string: a string would keep short content inside itself, where no allocator wipes.
using Bytes = std::vector<char, WipingAllocator<char>>;

inline std::string_view View(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }
inline void Append(Bytes& bytes, std::string_view more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

}  // namespace nd::ipc
