#include "crypto/sha256.h"

#include <openssl/evp.h>

#include <utility>

#include "crypto/must.h"

namespace nd {

using crypto_internal::Must;

namespace {
// Fetched once: an implicit fetch at every digest costs more than a short digest itself.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = Must(EVP_MD_fetch(nullptr, "SHA256", nullptr), "EVP_MD_fetch");
  return algorithm;
}
}  // namespace

std::string Sha256(std::string_view bytes) {
  std::string digest(kSha256Size, '\0');
  Must(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, Algorithm(),
                  nullptr) == 1,
       "EVP_Digest");
  return digest;
}

Sha256Hasher::Sha256Hasher() : context_(Must(EVP_MD_CTX_new(), "EVP_MD_CTX_new")) {
  Must(EVP_DigestInit_ex(context_, Algorithm(), nullptr) == 1, "EVP_DigestInit_ex");
}

Sha256Hasher::~Sha256Hasher() { EVP_MD_CTX_free(context_); }

Sha256Hasher::Sha256Hasher(Sha256Hasher&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Sha256Hasher::Update(std::string_view bytes) {
  Must(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "EVP_DigestUpdate");
}

std::string Sha256Hasher::Finish() {
  std::string digest(kSha256Size, '\0');
  Must(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1,
       "EVP_DigestFinal_ex");
  Must(EVP_DigestInit_ex(context_, nullptr, nullptr) == 1, "EVP_DigestInit_ex");
  return digest;
}

}  // namespace nd
