#include "net/address.h"

#include <gtest/gtest.h>

namespace nd::net {
namespace {

boost::asio::ip::address At(const char* text) { return boost::asio::ip::make_address(text); }

bool In(const char* network, const char* address) {
  const auto parsed = Network::Parse(network);
  EXPECT_TRUE(parsed.ok()) << network;
  return parsed.ok() && parsed->Contains(At(address));
}

TEST(Network, HoldsItsAddressesAndNoOthers) {
  EXPECT_TRUE(In("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(In("10.0.0.0/8", "11.0.0.0"));
  EXPECT_FALSE(In("10.0.0.0/8", "9.255.255.255"));
  EXPECT_TRUE(In("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(In("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(In("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(In("0.0.0.0/0", "::1"));
  EXPECT_TRUE(In("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(In("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(In("::1/128", "::1"));
  EXPECT_FALSE(In("::1", "::2"));
  EXPECT_TRUE(In("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(In("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, CountsAMappedAddressAsItsIpv4Address) {
  EXPECT_TRUE(In("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(In("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_FALSE(In("::/0", "10.1.2.3"));
}

TEST(Network, RefusesEverythingElse) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.0/08", "10.0.0.0/8 ", " 10.0.0.0", "10.0.0/8", "010.0.0.1", "localhost",
                           "fe80::1%lo", "10.0.0.0/8/8", "::ffff:0:0/64", "0x7f000001"}) {
    EXPECT_FALSE(Network::Parse(text).ok()) << text;
  }
}

TEST(LimitKey, IsTheAddressOrItsSlash64) {
  EXPECT_EQ(LimitKey(At("192.0.2.7")), "192.0.2.7");
  EXPECT_EQ(LimitKey(At("::ffff:192.0.2.7")), "192.0.2.7");
  EXPECT_EQ(LimitKey(At("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64");
  EXPECT_EQ(LimitKey(At("2001:db8:1:2::1")), LimitKey(At("2001:db8:1:2:ffff::")));
  EXPECT_NE(LimitKey(At("2001:db8:1:2::1")), LimitKey(At("2001:db8:1:3::1")));
}

TEST(PublicInternet, LeavesOutEverySpecialAddress) {
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "100.100.100.200",
                           "127.0.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "168.63.129.16",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b::a9fe:a9fe",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "2002:a9fe:a9fe::1",
                           "3fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"}) {
    EXPECT_FALSE(IsPublicInternet(At(text))) << text;
  }
}

TEST(PublicInternet, HoldsOrdinaryAddresses) {
  for (const char* text :
       {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "2606:4700:4700::1111",
        "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublicInternet(At(text))) << text;
  }
}

}  // namespace
}  // namespace nd::net
