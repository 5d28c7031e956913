#include "server/rate_limiter.h"

#include <algorithm>
#include <functional>

namespace nd::server {

Rate RateOf(RateClass rate) {
  switch (rate) {
    case RateClass::kSignIn: return {100};
    case RateClass::kUnknownPath: return {100};
    case RateClass::kReport: return {60};
    case RateClass::kBadToken: return {1'200};
    case RateClass::kPublic: return {12'000'000};
    case RateClass::kPrincipal: return {12'000'000};
  }
  return {100};
}

int RateLimiter::Take(RateClass rate, std::string_view key) {
  std::string full_key;
  full_key.reserve(key.size() + 1);
  full_key.push_back(static_cast<char>('0' + static_cast<int>(rate)));
  full_key.append(key);
  Shard& shard = shards_[std::hash<std::string>()(full_key) % kShards];

  const std::int64_t now = clock_.Steady().time_since_epoch().count();
  const std::int64_t window = 60'000'000;
  const auto per_minute = static_cast<std::int64_t>(RateOf(rate).per_minute);
  const std::int64_t interval = std::max<std::int64_t>(1, window / per_minute);

  const MutexLock lock(shard.mutex);
  if (shard.arrivals.size() >= kKeysPerShard && !shard.arrivals.contains(full_key)) {
    // Looking for room costs a walk through the shard: once a second, or a flood of addresses would buy one per request.
    if (now - shard.swept_at >= 1'000'000) {
      shard.swept_at = now;
      std::erase_if(shard.arrivals, [&](const auto& entry) { return entry.second <= now; });
    }
    if (shard.arrivals.size() >= kKeysPerShard) full_key = std::string(1, full_key[0]) + "overflow";
  }
  std::int64_t& arrival = shard.arrivals[full_key];
  const std::int64_t next = std::max(arrival, now) + interval;
  const std::int64_t excess = next - now - window;
  if (excess > 0) return static_cast<int>((excess + 999'999) / 1'000'000);
  arrival = next;
  return 0;
}

}  // namespace nd::server
