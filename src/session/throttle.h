// Sign-in throttling: how long an account or an address must wait after failures, exponentially.
//
// Thread-safe, in memory, bounded; waits are measured in steady time. Not a rate limiter for requests (that is the
// server's): only failures count, a success never does. Forgotten by a restart, which guessers cannot cause.
#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace nd::session {

// How one counter behaves: `free` failures cost nothing; then the wait is 1 s and doubles with each failure up to
// `longest_wait`. One failure is forgiven per `forgive_after` without a new one, so the long-term rate of guesses is
// bounded by it, whatever the patience.
struct ThrottleRule {
  unsigned free;
  std::chrono::seconds longest_wait;
  std::chrono::seconds forgive_after;
};

// A person mistypes a few times; four guesses an hour in the long run find no password that passes our rules.
inline constexpr ThrottleRule kAccountRule{5, std::chrono::minutes(15), std::chrono::minutes(15)};
// Many people may share an address; sixty guesses an hour in the long run, over all accounts.
inline constexpr ThrottleRule kAddressRule{20, std::chrono::minutes(15), std::chrono::minutes(1)};

// Counters kept at most, the least recently touched goes first. Pushing an account out takes this many failures, each
// after a password hash: more time than a wait lasts.
inline constexpr std::size_t kMaxThrottleEntries = 65'536;
// Pairs of account and address that have signed in before.
inline constexpr std::size_t kMaxKnownPairs = 16'384;

// "192.0.2.7" for IPv4 (also mapped into IPv6), the /64 network for IPv6, since one customer has at least that much.
std::string ThrottleNetwork(std::string_view address);

class Throttle {
 public:
  explicit Throttle(const Clock& clock) : clock_(clock) {}

  // `account` is canonical, or empty if what was typed names no possible account; then the address alone counts.
  // kRateLimited with the seconds left.
  Result<void> Check(std::string_view account, std::string_view address) const;
  void RecordFailure(std::string_view account, std::string_view address);
  // From now on this address has its own counter for this account: failures from elsewhere no longer lock it out.
  void RecordSuccess(std::string_view account, std::string_view address);
  // Forgets failures of the account from everywhere; with an empty account all failures there are.
  void Unlock(std::string_view account);
  // Forgets what no longer matters.
  void Prune();
  std::size_t size() const;  // counters held

 private:
  struct Counter {
    unsigned failures = 0;
    SteadyTime last{};  // of the last failure, or of the last one forgiven
    SteadyTime blocked_until{};
  };

  // A map that drops what was touched least recently.
  class Table {
   public:
    explicit Table(std::size_t max_size) : max_size_(max_size) {}
    const Counter* Find(std::string_view key) const;
    Counter& Touch(std::string_view key);
    void Erase(std::string_view key);
    template <class Predicate>
    void EraseIf(Predicate predicate);
    // Sets the counters of matching keys to zero, keeping the entries.
    template <class Predicate>
    void ResetIf(Predicate predicate);
    void Clear();
    std::size_t size() const { return index_.size(); }

   private:
    struct Item {
      std::string key;
      Counter counter;
    };
    std::size_t max_size_;
    std::list<Item> items_;                                                  // most recently touched first
    std::unordered_map<std::string_view, std::list<Item>::iterator> index_;  // keys point into items_
  };

  static unsigned Remaining(const Counter& counter, const ThrottleRule& rule, SteadyTime now);
  static void Fail(Counter& counter, const ThrottleRule& rule, SteadyTime now);

  const Clock& clock_;
  mutable Mutex mutex_;
  Table accounts_ ND_GUARDED_BY(mutex_){kMaxThrottleEntries};
  Table addresses_ ND_GUARDED_BY(mutex_){kMaxThrottleEntries};
  Table pairs_ ND_GUARDED_BY(mutex_){kMaxKnownPairs};  // an entry means "has signed in"; its counter is its own
};

}  // namespace nd::session
