// Bytes that must not outlive their use: wiped on destruction, never printed, never copied by accident.
//
// Not thread-safe. Not locked memory: long-lived keys of the keeper live in crypto/guarded_key.h.
#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string_view>

namespace nd {

// Overwrites memory in a way the compiler may not remove.
void WipeMemory(void* data, std::size_t size);

// Compares in time that depends on the lengths alone.
[[nodiscard]] bool EqualConstantTime(std::string_view a, std::string_view b);

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // Uninitialised room for `size` bytes, to be filled through Mutable().
  static Secret OfSize(std::size_t size);

  Secret Clone() const { return Secret(ExposeSecret()); }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The bytes themselves. The name is meant to be searched for.
  std::string_view ExposeSecret() const { return {data_, size_}; }
  std::span<char> Mutable() { return {data_, size_}; }

  // Constant time.
  friend bool operator==(const Secret& a, const Secret& b) {
    return EqualConstantTime(a.ExposeSecret(), b.ExposeSecret());
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nd
