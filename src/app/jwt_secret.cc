#include "app/jwt_secret.h"

#include <array>
#include <bitset>
#include <string>
#include <string_view>

namespace nd::app {

namespace {
// What examples, tutorials and templates put in this place, in lower case and without punctuation.
constexpr std::array<std::string_view, 28> kPlaceholders = {
    "changeme",      "changethis",    "changeit",   "pleasechange",       "replaceme",    "replacethis",
    "replacewith",   "yoursecret",    "yourjwt",    "yoursupersecret",    "yourkey",      "yourverysecret",
    "yourrandom",    "putyour",       "insertyour", "enteryour",          "generateyour", "secrethere",
    "secretkeyhere", "placeholder",   "devsecret",  "developmentsecret",  "supersecret",  "notasecret",
    "notsosecret",   "thisisasecret", "insecure",   "correcthorsebattery"};

// The letters and digits of the secret in lower case. Held as a Secret, since it is one.
Secret Normalized(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain.push_back(c);
    if (c >= 'A' && c <= 'Z') plain.push_back(static_cast<char>(c - 'A' + 'a'));
  }
  Secret result(plain);
  WipeMemory(plain.data(), plain.size());
  return result;
}

std::size_t DistinctBytes(std::string_view text) {
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

// True if the text is a shorter text, repeated ("secretsecretsecret..."), the last time perhaps in part.
bool IsRepetition(std::string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period) {
    if (text.substr(period) == text.substr(0, text.size() - period)) return true;
  }
  return false;
}

// True if most characters follow their neighbour in the alphabet ("abcdef...", "012345...").
bool IsAlphabetical(std::string_view text) {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = static_cast<unsigned char>(text[i]) - static_cast<unsigned char>(text[i - 1]);
    steps += step == 1 || step == -1 ? 1 : 0;
  }
  return steps * 2 > text.size();
}

Error Refused(std::string_view what) {
  return Forbidden("JWT_SECRET " + std::string(what) +
                   ": with it anyone could sign session tokens. Make one with: openssl rand -base64 48. Or leave "
                   "JWT_SECRET unset, and the deck keeps a random key in its vault.");
}
}  // namespace

Result<void> CheckJwtSecret(const Secret& secret) {
  const std::string_view text = secret.ExposeSecret();
  const Secret plain = Normalized(text);
  for (const std::string_view placeholder : kPlaceholders) {
    if (plain.ExposeSecret().find(placeholder) != std::string_view::npos) return Refused("is a known placeholder");
  }
  if (text.size() < kLeastJwtSecretSize) {
    return Refused("has " + std::to_string(text.size()) + " bytes and needs at least " +
                   std::to_string(kLeastJwtSecretSize));
  }
  // 32 random hexadecimal digits have fewer than eight different ones about once in a hundred million times.
  if (DistinctBytes(text) < 8 || IsRepetition(text) || IsAlphabetical(text)) return Refused("is visibly not random");
  return {};
}

}  // namespace nd::app
