// Randomness as a dependency. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/secret.h"

namespace nd {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `out` with bytes fit for keys.
  virtual void Fill(std::span<char> out) = 0;
};

// The kernel's generator (getrandom(2)). Ends the process if the kernel cannot deliver.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<char> out) override;
};

Secret RandomSecret(Random& random, std::size_t size);
// `size` random bytes as base64url text without padding: 15 bytes make 20 characters.
std::string RandomId(Random& random, std::size_t size);
// A ULID: 48 bits of milliseconds and 80 random bits, 26 characters of Crockford's base 32, sortable by time.
std::string MakeUlid(Random& random, WallTime now);

}  // namespace nd
