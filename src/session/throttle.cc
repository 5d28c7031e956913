#include "session/throttle.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "crypto/sha256.h"

namespace nd::session {

namespace {

constexpr std::size_t kMaxAddress = 64;  // bytes; the longest textual IPv6 address with a scope has fewer

// Counters know accounts by hash: what somebody typed as a name may be a password. A prefix of 128 bits does not
// collide.
std::string AccountKey(std::string_view account) {
  return account.empty() ? std::string() : EncodeHex(Sha256(account)).substr(0, 32);
}

// Hex holds no space, so the two parts cannot run into each other.
std::string PairKey(std::string_view account, std::string_view network) {
  return fmt::format("{} {}", account, network);
}

std::chrono::seconds WaitAfter(unsigned failures, const ThrottleRule& rule) {
  if (failures < rule.free) return std::chrono::seconds(0);
  const unsigned doublings = std::min(failures - rule.free, 30U);
  return std::min(std::chrono::seconds(std::int64_t{1} << doublings), rule.longest_wait);
}

}  // namespace

std::string ThrottleNetwork(std::string_view address) {
  std::string text(address.substr(0, std::min(address.find('%'), kMaxAddress)));
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
  char out[INET6_ADDRSTRLEN] = {};
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    in_addr v4{};
    std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
    return inet_ntop(AF_INET, &v4, out, sizeof out);
  }
  std::memset(v6.s6_addr + 8, 0, 8);
  return std::string(inet_ntop(AF_INET6, &v6, out, sizeof out)) + "/64";
}

const Throttle::Counter* Throttle::Table::Find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &found->second->counter;
}

Throttle::Counter& Throttle::Table::Touch(std::string_view key) {
  if (const auto found = index_.find(key); found != index_.end()) {
    items_.splice(items_.begin(), items_, found->second);
    return found->second->counter;
  }
  if (index_.size() >= max_size_) {
    index_.erase(items_.back().key);
    items_.pop_back();
  }
  items_.push_front({std::string(key), {}});
  index_.emplace(items_.front().key, items_.begin());
  return items_.front().counter;
}

void Throttle::Table::Erase(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  const auto item = found->second;
  index_.erase(found);
  items_.erase(item);
}

template <class Predicate>
void Throttle::Table::EraseIf(Predicate predicate) {
  for (auto item = items_.begin(); item != items_.end();) {
    if (predicate(item->counter)) {
      index_.erase(item->key);
      item = items_.erase(item);
    } else {
      ++item;
    }
  }
}

template <class Predicate>
void Throttle::Table::ResetIf(Predicate predicate) {
  for (Item& item : items_) {
    if (predicate(item.key)) item.counter = {};
  }
}

void Throttle::Table::Clear() {
  index_.clear();
  items_.clear();
}

unsigned Throttle::Remaining(const Counter& counter, const ThrottleRule& rule, SteadyTime now) {
  const auto forgiven = (now - counter.last) / rule.forgive_after;
  return forgiven >= counter.failures ? 0 : counter.failures - static_cast<unsigned>(forgiven);
}

void Throttle::Fail(Counter& counter, const ThrottleRule& rule, SteadyTime now) {
  counter.failures = Remaining(counter, rule, now) + 1;
  counter.last = now;
  counter.blocked_until = now + WaitAfter(counter.failures, rule);
}

Result<void> Throttle::Check(std::string_view account_name, std::string_view address) const {
  const std::string account = AccountKey(account_name);
  const std::string network = ThrottleNetwork(address);
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  const Counter* counter = account.empty() ? nullptr : pairs_.Find(PairKey(account, network));
  if (counter == nullptr && !account.empty()) counter = accounts_.Find(account);
  SteadyTime until = counter == nullptr ? now : counter->blocked_until;
  if (const Counter* by_address = addresses_.Find(network)) until = std::max(until, by_address->blocked_until);
  if (until <= now) return {};
  const auto seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(until - now).count());
  return RateLimited(fmt::format("Too many failed sign-ins. Wait {} seconds and try again, or ask an administrator to "
                                 "unlock the account.",
                                 seconds),
                     seconds, "sign-in throttle");
}

void Throttle::RecordFailure(std::string_view account_name, std::string_view address) {
  const std::string account = AccountKey(account_name);
  const std::string network = ThrottleNetwork(address);
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  if (!account.empty()) {
    const std::string pair = PairKey(account, network);
    const bool known = pairs_.Find(pair) != nullptr;
    Fail(known ? pairs_.Touch(pair) : accounts_.Touch(account), kAccountRule, now);
  }
  Fail(addresses_.Touch(network), kAddressRule, now);
}

void Throttle::RecordSuccess(std::string_view account_name, std::string_view address) {
  const std::string account = AccountKey(account_name);
  MutexLock lock(mutex_);
  pairs_.Touch(PairKey(account, ThrottleNetwork(address))) = {};
}

void Throttle::Unlock(std::string_view account_name) {
  const std::string account = AccountKey(account_name);
  MutexLock lock(mutex_);
  if (account.empty()) {
    accounts_.Clear();
    addresses_.Clear();
  } else {
    accounts_.Erase(account);
  }
  pairs_.ResetIf([&](std::string_view key) { return account.empty() || key.substr(0, key.find(' ')) == account; });
}

void Throttle::Prune() {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  accounts_.EraseIf([&](const Counter& c) { return Remaining(c, kAccountRule, now) == 0 && c.blocked_until <= now; });
  addresses_.EraseIf([&](const Counter& c) { return Remaining(c, kAddressRule, now) == 0 && c.blocked_until <= now; });
}

std::size_t Throttle::size() const {
  MutexLock lock(mutex_);
  return accounts_.size() + addresses_.size() + pairs_.size();
}

}  // namespace nd::session
