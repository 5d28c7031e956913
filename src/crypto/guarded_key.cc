#include "crypto/guarded_key.h"

#include <sodium.h>

#include <cstring>

#include "base/mutex.h"
#include "crypto/init.h"
#include "crypto/must.h"

namespace nd {

using crypto_internal::Must;

class GuardedKey::Memory {
 public:
  // Takes what sodium_malloc gave, readable and writable.
  Memory(char* data, std::size_t size, bool locked) : data_(data), size_(size), locked_(locked) {
    Must(sodium_mprotect_noaccess(data_) == 0, "sodium_mprotect_noaccess");
  }
  ~Memory() { sodium_free(data_); }  // wipes
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void Open() {
    const MutexLock lock(mutex_);
    if (borrowers_++ == 0) Must(sodium_mprotect_readonly(data_) == 0, "sodium_mprotect_readonly");
  }
  void Close() {
    const MutexLock lock(mutex_);
    if (--borrowers_ == 0) Must(sodium_mprotect_noaccess(data_) == 0, "sodium_mprotect_noaccess");
  }

  std::string_view bytes() const { return {data_, size_}; }
  bool locked() const { return locked_; }

 private:
  char* const data_;
  const std::size_t size_;
  const bool locked_;
  Mutex mutex_;
  int borrowers_ ND_GUARDED_BY(mutex_) = 0;
};

GuardedKey::GuardedKey(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
GuardedKey::~GuardedKey() = default;
GuardedKey::GuardedKey(GuardedKey&&) noexcept = default;
GuardedKey& GuardedKey::operator=(GuardedKey&&) noexcept = default;

Result<GuardedKey> GuardedKey::Create(Secret key) {
  if (key.empty()) return InvalidInput("The key is empty.");
  ND_TRY(InitCrypto());
  auto* const data = static_cast<char*>(sodium_malloc(key.size()));
  if (data == nullptr) return Unavailable("The server has no memory for a key.", "sodium_malloc failed");
  // sodium_malloc locks too, but does not say whether it could.
  const bool locked = sodium_mlock(data, key.size()) == 0;
  std::memcpy(data, key.ExposeSecret().data(), key.size());
  return GuardedKey(std::make_unique<Memory>(data, key.size(), locked));
}

std::size_t GuardedKey::size() const { return memory_->bytes().size(); }
bool GuardedKey::locked() const { return memory_->locked(); }

GuardedKey::Loan::Loan(Memory& memory) : memory_(memory) { memory_.Open(); }
GuardedKey::Loan::~Loan() { memory_.Close(); }
std::string_view GuardedKey::Loan::bytes() const { return memory_.bytes(); }

}  // namespace nd
