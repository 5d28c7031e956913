// What the session room keeps in memory of users, sessions and agent tokens, and the tables that hold it.
//
// Records are immutable once published, except for use times and the live view of a user; tables are thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "session/store.h"

namespace nd::session {

// The part of a user that verification looks at, shared by all records of that user: one change here is seen by all.
struct LiveUser {
  std::atomic<Role> role;
  std::atomic<bool> disabled;
  std::atomic<std::uint64_t> epoch;
};

// When something was last used: set by many threads at every use, written to the store now and then.
class UseTime {
 public:
  explicit UseTime(std::optional<WallTime> stored)
      : micros_(stored ? stored->time_since_epoch().count() : kNever), stored_(micros_.load()) {}

  void Set(WallTime time) { micros_.store(time.time_since_epoch().count(), std::memory_order_relaxed); }
  std::optional<WallTime> Get() const {
    const std::int64_t micros = micros_.load(std::memory_order_relaxed);
    return micros == kNever ? std::nullopt : std::optional(WallTime(std::chrono::microseconds(micros)));
  }
  // The time, if the store has another one.
  std::optional<WallTime> Unstored() const {
    const std::optional<WallTime> time = Get();
    return time && time->time_since_epoch().count() != stored_.load() ? time : std::nullopt;
  }
  void MarkStored(WallTime time) { stored_.store(time.time_since_epoch().count()); }

 private:
  static constexpr std::int64_t kNever = INT64_MIN;
  std::atomic<std::int64_t> micros_;
  std::atomic<std::int64_t> stored_;
};

struct SessionRecord {
  SessionRow row;  // last_seen_at as it was at publication; see last_seen
  std::string log_hash;
  std::shared_ptr<const LiveUser> user;
  std::shared_ptr<UseTime> last_seen;        // shared by the successive records of a session
  std::optional<SteadyTime> rotated_steady;  // nothing if the rotation happened before this process started

  // A session that outlives a change is published with the coming epoch before the user moves to it.
  bool Alive(WallTime now) const {
    return now < row.ends_at && row.user_epoch >= user->epoch.load() && !user->disabled.load();
  }
};

struct AgentRecord {
  AgentTokenRow row;
  std::string log_hash;
  std::shared_ptr<const LiveUser> user;
  std::shared_ptr<UseTime> last_used;
};

// Records by id, in shards, so that event loops rarely meet at a lock.
template <class Record>
class RecordTable {
 public:
  using Ptr = std::shared_ptr<const Record>;

  Ptr Find(std::string_view id) const {
    const Shard& shard = ShardOf(id);
    MutexLock lock(shard.mutex);
    const auto found = shard.records.find(id);
    return found == shard.records.end() ? nullptr : found->second;
  }
  // Adds or replaces.
  void Put(Ptr record) {
    Shard& shard = ShardOf(record->row.id);
    MutexLock lock(shard.mutex);
    shard.records.insert_or_assign(record->row.id, record);
  }
  // Null if it was not there.
  Ptr Take(std::string_view id) {
    Shard& shard = ShardOf(id);
    MutexLock lock(shard.mutex);
    const auto found = shard.records.find(id);
    if (found == shard.records.end()) return nullptr;
    Ptr record = std::move(found->second);
    shard.records.erase(found);
    return record;
  }
  std::vector<Ptr> All() const {
    std::vector<Ptr> all;
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      for (const auto& [id, record] : shard.records) all.push_back(record);
    }
    return all;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>()(id); }
  };
  struct alignas(64) Shard {
    mutable Mutex mutex;
    std::unordered_map<std::string, Ptr, Hash, std::equal_to<>> records ND_GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShards = 16;

  Shard& ShardOf(std::string_view id) { return shards_[Hash()(id) / 64 % kShards]; }
  const Shard& ShardOf(std::string_view id) const { return shards_[Hash()(id) / 64 % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace nd::session
