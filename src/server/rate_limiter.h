// Token buckets (as GCRA: one time stamp per key) for the rate classes. Thread-safe: sharded locks.
//
// Memory is bounded: a shard that is full forgets keys whose bucket is full again; if none is, new keys share one bucket.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/route.h"

namespace nd::server {

struct Rate {
  std::uint64_t per_minute;  // sustained, and the burst
};

// Sign-in, setup and unknown paths: what a person needs many times over, what a guesser starves on. Reports: a broken page
// repeats itself. Bad tokens: a console whose session ended asks a few times, a prober thousands. Public and principal calls cost microseconds: the bound only keeps one client from taking the machine.
Rate RateOf(RateClass rate);

class RateLimiter {
 public:
  explicit RateLimiter(const Clock& clock) : clock_(clock) {}

  // 0 if the call may go on, else the whole seconds after which it may be tried again (at least 1).
  int Take(RateClass rate, std::string_view key);

  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kKeysPerShard = 8'192;  // about 1 MiB in all

 private:
  struct Shard {
    Mutex mutex;
    // Key to the theoretical arrival time, in microseconds of steady time.
    std::unordered_map<std::string, std::int64_t> arrivals ND_GUARDED_BY(mutex);
    std::int64_t swept_at ND_GUARDED_BY(mutex) = -1'000'000;
  };
  const Clock& clock_;
  std::array<Shard, kShards> shards_;
};

}  // namespace nd::server
