#include "crypto/aead.h"

#include <openssl/evp.h>

#include <climits>
#include <memory>

#include "crypto/must.h"

namespace nd {

using crypto_internal::Must;

namespace {
const EVP_CIPHER* Algorithm() {
  static const EVP_CIPHER* const algorithm =
      Must(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "EVP_CIPHER_fetch");
  return algorithm;
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // wipes the key schedule
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

enum class Direction : int { kOpen = 0, kSeal = 1 };

Context Start(Direction direction, std::string_view key, std::string_view nonce, std::string_view associated) {
  Must(key.size() == kAes256KeySize && nonce.size() == kGcmNonceSize && associated.size() < INT_MAX,
       "AES-256-GCM: precondition");
  Context context(Must(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
  Must(EVP_CipherInit_ex2(context.get(), Algorithm(), reinterpret_cast<const unsigned char*>(key.data()),
                          reinterpret_cast<const unsigned char*>(nonce.data()), static_cast<int>(direction),
                          nullptr) == 1,
       "EVP_CipherInit_ex2");
  int ignored = 0;
  if (!associated.empty()) {
    Must(EVP_CipherUpdate(context.get(), nullptr, &ignored, reinterpret_cast<const unsigned char*>(associated.data()),
                          static_cast<int>(associated.size())) == 1,
         "EVP_CipherUpdate");
  }
  return context;
}

void Crypt(EVP_CIPHER_CTX* context, std::string_view in, char* out) {
  Must(in.size() < INT_MAX, "AES-256-GCM: precondition");
  if (in.empty()) return;
  int size = 0;
  Must(EVP_CipherUpdate(context, reinterpret_cast<unsigned char*>(out), &size,
                        reinterpret_cast<const unsigned char*>(in.data()), static_cast<int>(in.size())) == 1 &&
           static_cast<std::size_t>(size) == in.size(),
       "EVP_CipherUpdate");
}
}  // namespace

std::string Aes256GcmSealWith(std::string_view key32, std::string_view nonce12, std::string_view plaintext,
                              std::string_view associated) {
  const Context context = Start(Direction::kSeal, key32, nonce12, associated);
  std::string sealed(plaintext.size() + kGcmTagSize, '\0');
  Crypt(context.get(), plaintext, sealed.data());
  unsigned char unused[EVP_MAX_BLOCK_LENGTH];
  int unused_size = 0;
  Must(EVP_CipherFinal_ex(context.get(), unused, &unused_size) == 1, "EVP_CipherFinal_ex");
  Must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, sealed.data() + plaintext.size()) == 1,
       "EVP_CTRL_AEAD_GET_TAG");
  return sealed;
}

Result<Secret> Aes256GcmOpenWith(std::string_view key32, std::string_view nonce12, std::string_view sealed,
                                 std::string_view associated) {
  const auto refusal = [] { return InvalidInput("The sealed data does not open.", "AES-256-GCM: tag mismatch"); };
  if (sealed.size() < kGcmTagSize) return refusal();
  const std::string_view ciphertext = sealed.substr(0, sealed.size() - kGcmTagSize);
  const std::string_view tag = sealed.substr(ciphertext.size());
  const Context context = Start(Direction::kOpen, key32, nonce12, associated);
  Secret plaintext = Secret::OfSize(ciphertext.size());
  Crypt(context.get(), ciphertext, plaintext.Mutable().data());
  Must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, const_cast<char*>(tag.data())) == 1,
       "EVP_CTRL_AEAD_SET_TAG");
  unsigned char unused[EVP_MAX_BLOCK_LENGTH];
  int unused_size = 0;
  if (EVP_CipherFinal_ex(context.get(), unused, &unused_size) != 1) return refusal();
  return plaintext;
}

std::string Aes256GcmSeal(const Secret& key, std::string_view nonce12, std::string_view plaintext,
                          std::string_view associated) {
  return Aes256GcmSealWith(key.ExposeSecret(), nonce12, plaintext, associated);
}

Result<Secret> Aes256GcmOpen(const Secret& key, std::string_view nonce12, std::string_view sealed,
                             std::string_view associated) {
  return Aes256GcmOpenWith(key.ExposeSecret(), nonce12, sealed, associated);
}

}  // namespace nd
