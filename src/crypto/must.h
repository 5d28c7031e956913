// For calls into OpenSSL which fail only without memory, or for want of an algorithm that every build of it has. Going
// on without the primitive would be worse than ending. Internal to this room.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace nd::crypto_internal {

inline void Must(bool succeeded, const char* what) {
  if (succeeded) [[likely]] {
    return;
  }
  std::fprintf(stderr, "fatal: %s failed\n", what);
  std::abort();
}

template <class T>
T* Must(T* made, const char* what) {
  Must(made != nullptr, what);
  return made;
}

}  // namespace nd::crypto_internal
