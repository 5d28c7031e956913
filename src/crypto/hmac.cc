#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <atomic>
#include <cstddef>

#include "crypto/must.h"

namespace nd {

using crypto_internal::Must;

namespace {
EVP_MAC* Algorithm() {
  static EVP_MAC* const algorithm = Must(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "EVP_MAC_fetch");
  return algorithm;
}

// A small number of this thread's own, so that threads mostly keep to different slots.
std::size_t ThreadNumber() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}
}  // namespace

// Keyed contexts waiting for use, one per slot. A thread takes what is in its slot (or copies the pattern when another
// thread has it) and puts it back afterwards, so nobody ever waits and the contexts belong to the key, not to threads.
class HmacSha256Key::Contexts {
 public:
  explicit Contexts(const Secret& key) : pattern_(Must(EVP_MAC_CTX_new(Algorithm()), "EVP_MAC_CTX_new")) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    // A null key would mean "keep the key you have": an empty one still needs an address.
    const char* const bytes = key.empty() ? "" : key.ExposeSecret().data();
    Must(EVP_MAC_init(pattern_, reinterpret_cast<const unsigned char*>(bytes), key.size(), parameters) == 1,
         "EVP_MAC_init");
  }

  ~Contexts() {
    for (Slot& slot : slots_) EVP_MAC_CTX_free(slot.context.load());
    EVP_MAC_CTX_free(pattern_);
  }

  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;

  std::array<char, 32> Sign(std::string_view message) {
    std::atomic<EVP_MAC_CTX*>& slot = slots_[ThreadNumber() % slots_.size()].context;
    EVP_MAC_CTX* context = slot.exchange(nullptr, std::memory_order_acquire);
    if (context == nullptr) context = Must(EVP_MAC_CTX_dup(pattern_), "EVP_MAC_CTX_dup");
    std::array<char, 32> tag;
    Must(EVP_MAC_init(context, nullptr, 0, nullptr) == 1, "EVP_MAC_init");
    Must(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1,
         "EVP_MAC_update");
    std::size_t size = 0;
    Must(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(tag.data()), &size, tag.size()) == 1 &&
             size == tag.size(),
         "EVP_MAC_final");
    EVP_MAC_CTX_free(slot.exchange(context, std::memory_order_acq_rel));
    return tag;
  }

 private:
  struct alignas(64) Slot {
    std::atomic<EVP_MAC_CTX*> context{nullptr};
  };

  EVP_MAC_CTX* const pattern_;
  std::array<Slot, 16> slots_;
};

HmacSha256Key::HmacSha256Key(Secret key) : contexts_(std::make_unique<Contexts>(key)) {}
HmacSha256Key::~HmacSha256Key() = default;
HmacSha256Key::HmacSha256Key(HmacSha256Key&&) noexcept = default;
HmacSha256Key& HmacSha256Key::operator=(HmacSha256Key&&) noexcept = default;

std::array<char, 32> HmacSha256Key::Sign(std::string_view message) const { return contexts_->Sign(message); }

bool HmacSha256Key::Verify(std::string_view message, std::string_view tag) const {
  const std::array<char, 32> expected = Sign(message);
  return EqualConstantTime({expected.data(), expected.size()}, tag);
}

}  // namespace nd
