#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace nd {

void SystemRandom::Fill(std::span<char> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = getrandom(out.data() + done, out.size() - done, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    done += static_cast<std::size_t>(got);
  }
}

Secret RandomSecret(Random& random, std::size_t size) {
  Secret secret = Secret::OfSize(size);
  random.Fill(secret.Mutable());
  return secret;
}

std::string RandomId(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  random.Fill(bytes);
  return EncodeBase64Url(bytes);
}

std::string MakeUlid(Random& random, WallTime now) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<char, 10> noise;
  random.Fill(noise);
  std::uint64_t millis = static_cast<std::uint64_t>(now.time_since_epoch().count() / 1000);
  std::string id(26, '0');
  for (int i = 9; i >= 0; --i, millis >>= 5) id[static_cast<std::size_t>(i)] = kAlphabet[millis & 31];
  std::uint64_t buffer = 0;
  int bits = 0;
  std::size_t at = 10;
  for (const char byte : noise) {
    buffer = buffer << 8 | static_cast<unsigned char>(byte);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      id[at++] = kAlphabet[buffer >> bits & 31];
    }
  }
  return id;
}

}  // namespace nd
