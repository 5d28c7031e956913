// Addresses as limits and trust see them. Pure; thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nd::net {

// A CIDR block such as "10.0.0.0/8" or "::1/128"; a bare address is itself alone.
class Network {
 public:
  static Result<Network> Parse(std::string_view text);
  // An IPv4-mapped IPv6 address counts as its IPv4 address.
  bool Contains(const boost::asio::ip::address& address) const;

 private:
  boost::asio::ip::address base_;
  unsigned prefix_ = 0;
};

// IPv4-mapped IPv6 addresses become IPv4; others stay.
boost::asio::ip::address Canonical(const boost::asio::ip::address& address);
// The key under which limits count an address: IPv4 whole, IPv6 as its /64.
std::string LimitKey(const boost::asio::ip::address& address);
// Loopback, link-local, private, carrier-grade NAT, multicast, unspecified, documentation, cloud metadata: not the
// public Internet. IPv4-mapped, NAT64 and 6to4 forms are judged by the address inside.
bool IsPublicInternet(const boost::asio::ip::address& address);

}  // namespace nd::net
