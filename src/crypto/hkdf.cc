#include "crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>

#include "crypto/must.h"

namespace nd {

using crypto_internal::Must;

namespace {
OSSL_PARAM Octets(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}
}  // namespace

Secret HkdfSha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t size) {
  static EVP_KDF* const algorithm = Must(EVP_KDF_fetch(nullptr, "HKDF", nullptr), "EVP_KDF_fetch");
  Must(!key.empty() && size >= 1 && size <= 255 * 32, "HkdfSha256: precondition");
  char digest[] = "SHA256";
  std::array<OSSL_PARAM, 5> parameters;
  std::size_t count = 0;
  parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  parameters[count++] = Octets(OSSL_KDF_PARAM_KEY, key);
  if (!salt.empty()) parameters[count++] = Octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) parameters[count++] = Octets(OSSL_KDF_PARAM_INFO, info);
  parameters[count] = OSSL_PARAM_construct_end();

  Secret derived = Secret::OfSize(size);
  EVP_KDF_CTX* const context = Must(EVP_KDF_CTX_new(algorithm), "EVP_KDF_CTX_new");
  Must(
      EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(derived.Mutable().data()), size, parameters.data()) == 1,
      "EVP_KDF_derive");
  EVP_KDF_CTX_free(context);
  return derived;
}

}  // namespace nd
