#include "http/server.h"
#include "net/address.h"

namespace nd::http {

bool ConnectionTable::Admit(const boost::asio::ip::address& peer) {
  const std::string key = net::LimitKey(peer);
  const MutexLock lock(mutex_);
  if (total() >= limits_.connections_total) return false;
  if (limits_.connections_per_address == 0) return false;
  std::size_t& count = by_address_[key];
  if (count >= limits_.connections_per_address) return false;
  ++count;
  total_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void ConnectionTable::Leave(const boost::asio::ip::address& peer) {
  const std::string key = net::LimitKey(peer);
  const MutexLock lock(mutex_);
  const auto found = by_address_.find(key);
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
  total_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace nd::http
