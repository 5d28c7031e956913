#include "net/address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace nd::net {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v6;

bool SamePrefix(const unsigned char* a, const unsigned char* b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a, a + whole, b)) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (a[whole] & mask) == (b[whole] & mask);
}

struct Block4 {
  std::uint32_t base;
  unsigned bits;
};

constexpr std::uint32_t V4(unsigned a, unsigned b, unsigned c, unsigned d) { return a << 24 | b << 16 | c << 8 | d; }

// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and successors), multicast and the reserved class E.
constexpr std::array kSpecial4 = {
    Block4{V4(0, 0, 0, 0), 8},
    Block4{V4(10, 0, 0, 0), 8},
    Block4{V4(100, 64, 0, 0), 10},
    Block4{V4(127, 0, 0, 0), 8},
    Block4{V4(169, 254, 0, 0), 16},
    Block4{V4(172, 16, 0, 0), 12},
    Block4{V4(192, 0, 0, 0), 24},
    Block4{V4(192, 0, 2, 0), 24},
    Block4{V4(192, 88, 99, 0), 24},
    Block4{V4(192, 168, 0, 0), 16},
    Block4{V4(198, 18, 0, 0), 15},
    Block4{V4(198, 51, 100, 0), 24},
    Block4{V4(203, 0, 113, 0), 24},
    Block4{V4(224, 0, 0, 0), 4},
    Block4{V4(240, 0, 0, 0), 4},
    // Cloud metadata services that live in otherwise public space: Alibaba is in 100.64/10 above, Azure's wire server
    // here.
    Block4{V4(168, 63, 129, 16), 32},
};

bool IsPublic4(std::uint32_t address) {
  return std::none_of(kSpecial4.begin(), kSpecial4.end(), [&](const Block4& block) {
    const std::uint32_t mask = 0xffffffffU << (32 - block.bits);
    return (address & mask) == block.base;
  });
}

struct Block6 {
  address_v6::bytes_type base;
  unsigned bits;
};

// Outside 2000::/3 nothing is public; inside, these are not (IANA IPv6 Special-Purpose Address Registry).
constexpr std::array kSpecial6 = {
    Block6{{0x20, 0x01, 0x00, 0x00}, 23},  // IETF protocol assignments, Teredo, ORCHID, benchmarking
    Block6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block6{{0x3f, 0xff, 0x00, 0x00}, 20},  // documentation (RFC 9637)
};
constexpr Block6 kGlobalUnicast{{0x20}, 3};
constexpr Block6 kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Block6 kSixToFour{{0x20, 0x02}, 16};

bool In(const address_v6::bytes_type& bytes, const Block6& block) {
  return SamePrefix(bytes.data(), block.base.data(), block.bits);
}

std::uint32_t Embedded4(const address_v6::bytes_type& bytes, std::size_t at) {
  return V4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

}  // namespace

Result<Network> Network::Parse(std::string_view text) {
  const auto refuse = [] {
    return InvalidInput("A network is an address, or an address and a prefix length, such as 10.0.0.0/8 or ::1/128.");
  };
  const auto slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  if (host.empty() || host.find('%') != std::string_view::npos) return refuse();
  boost::system::error_code ec;
  address base = boost::asio::ip::make_address(std::string(host), ec);
  if (ec) return refuse();

  unsigned width = base.is_v4() ? 32 : 128;
  unsigned prefix = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return refuse();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix > width) return refuse();
  }
  if (const address canonical = Canonical(base); canonical.is_v4() != base.is_v4()) {
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix would reach beyond the mapped block.
    if (prefix < 96) return refuse();
    base = canonical;
    prefix -= 96;
  }
  Network network;
  network.base_ = base;
  network.prefix_ = prefix;
  return network;
}

bool Network::Contains(const address& candidate) const {
  const address other = Canonical(candidate);
  if (other.is_v4() != base_.is_v4()) return false;
  if (other.is_v4()) {
    return SamePrefix(other.to_v4().to_bytes().data(), base_.to_v4().to_bytes().data(), prefix_);
  }
  return SamePrefix(other.to_v6().to_bytes().data(), base_.to_v6().to_bytes().data(), prefix_);
}

address Canonical(const address& candidate) {
  if (!candidate.is_v6() || !candidate.to_v6().is_v4_mapped()) return candidate;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, candidate.to_v6());
}

std::string LimitKey(const address& candidate) {
  const address canonical = Canonical(candidate);
  if (canonical.is_v4()) return canonical.to_v4().to_string();
  address_v6::bytes_type bytes = canonical.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return address_v6(bytes).to_string() + "/64";
}

bool IsPublicInternet(const address& candidate) {
  const address canonical = Canonical(candidate);
  if (canonical.is_v4()) return IsPublic4(canonical.to_v4().to_uint());
  const address_v6::bytes_type bytes = canonical.to_v6().to_bytes();
  if (In(bytes, kNat64)) return IsPublic4(Embedded4(bytes, 12));
  if (In(bytes, kSixToFour)) return IsPublic4(Embedded4(bytes, 2));
  if (!In(bytes, kGlobalUnicast)) return false;
  return std::none_of(kSpecial6.begin(), kSpecial6.end(), [&](const Block6& block) { return In(bytes, block); });
}

}  // namespace nd::net
