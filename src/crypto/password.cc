#include "crypto/password.h"

#include <sodium.h>

#include <array>
#include <cstring>

namespace nd {

Result<std::string> HashPassword(std::string_view password, std::uint64_t operations, std::size_t memory_bytes) {
  if (operations < crypto_pwhash_argon2id_OPSLIMIT_MIN || operations > crypto_pwhash_argon2id_OPSLIMIT_MAX ||
      memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN || memory_bytes > crypto_pwhash_argon2id_MEMLIMIT_MAX) {
    return InvalidInput("The password hash parameters are out of range.",
                        "Argon2id t=" + std::to_string(operations) + " m=" + std::to_string(memory_bytes));
  }
  std::array<char, crypto_pwhash_argon2id_STRBYTES> hash{};
  if (crypto_pwhash_argon2id_str(hash.data(), password.data(), password.size(), operations, memory_bytes) != 0) {
    return Unavailable("The server has too little memory to check passwords at the moment.",
                       "Argon2id: out of memory at m=" + std::to_string(memory_bytes), 1);
  }
  return std::string(hash.data());
}

namespace {
// libsodium wants an array of STRBYTES, ended by a zero.
bool CopyHash(std::string_view hash, std::array<char, crypto_pwhash_argon2id_STRBYTES>& out) {
  if (!hash.starts_with(crypto_pwhash_argon2id_STRPREFIX) || hash.size() >= out.size()) return false;
  if (hash.find('\0') != std::string_view::npos) return false;
  std::memcpy(out.data(), hash.data(), hash.size());
  return true;
}
}  // namespace

bool VerifyPassword(std::string_view hash, std::string_view password) {
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  if (!CopyHash(hash, text)) return false;
  return crypto_pwhash_argon2id_str_verify(text.data(), password.data(), password.size()) == 0;
}

bool PasswordNeedsRehash(std::string_view hash, std::uint64_t operations, std::size_t memory_bytes) {
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  if (!CopyHash(hash, text)) return true;
  return crypto_pwhash_argon2id_str_needs_rehash(text.data(), operations, memory_bytes) != 0;
}

}  // namespace nd
