// Text encodings: what decodes has one spelling only, and what is encoded comes back.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "vault/root_key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = nd::DecodeBase64Url(text); bytes && nd::EncodeBase64Url(*bytes) != text) std::abort();
  if (const auto bytes = nd::DecodeHex(text); bytes && nd::EncodeHex(*bytes) != nd::LowerAscii(text)) std::abort();
  if (nd::DecodeBase64Url(nd::EncodeBase64Url(text)) != text) std::abort();
  if (nd::DecodeHex(nd::EncodeHex(text)) != text) std::abort();
  if (const auto key = nd::vault::DecodeRootKey(text); key.ok() && key->size() != 32) std::abort();
  if (nd::IsName(text, 64) && (text.size() > 64 || nd::HasControlCharacter(text) || !nd::IsValidUtf8(text)))
    std::abort();
  // A valid text stays valid when another follows; a cut inside a character is noticed.
  if (nd::IsValidUtf8(text) != nd::IsValidUtf8(std::string(text) + "a")) std::abort();
  return 0;
}
