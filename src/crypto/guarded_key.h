// A long-lived key in memory of its own: between guard pages, locked against swapping, left out of core dumps, and
// unreadable except while it is lent. Wiped when the object dies.
//
// Thread-safe: several threads may borrow at once; the memory is closed when the last gives it back. It cannot protect
// against code that runs in this process while the key is lent.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/secret.h"

namespace nd {

class GuardedKey {
 public:
  // Moves the bytes over and wipes `key`. kInvalidInput if it is empty, kUnavailable if no memory is to be had.
  static Result<GuardedKey> Create(Secret key);
  ~GuardedKey();
  GuardedKey(GuardedKey&&) noexcept;
  GuardedKey& operator=(GuardedKey&&) noexcept;
  GuardedKey(const GuardedKey&) = delete;
  GuardedKey& operator=(const GuardedKey&) = delete;

  // Lends the bytes (std::string_view) to `use` and returns what it returns. The view is dead afterwards: reading it
  // then ends the process.
  template <class Use>
  auto With(Use&& use) const {
    const Loan loan(*memory_);
    return std::forward<Use>(use)(loan.bytes());
  }

  std::size_t size() const;
  // False where the kernel refused to lock the page (RLIMIT_MEMLOCK): it could reach the swap device.
  bool locked() const;

 private:
  class Memory;
  class Loan {
   public:
    explicit Loan(Memory& memory);
    ~Loan();
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    std::string_view bytes() const;

   private:
    Memory& memory_;
  };

  explicit GuardedKey(std::unique_ptr<Memory> memory);
  std::unique_ptr<Memory> memory_;
};

}  // namespace nd
