// A provider as the administrator configured it, and the request head of a call to it. Nothing of an address or a
// header name ever comes from the caller.
//
// Pure; thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "ipc/wiping.h"
#include "keeper/client.h"

namespace nd::keeper {

struct ProviderConfig {
  enum class Transport : std::uint8_t { kTls, kPlain };

  std::string name;  // lower case
  Protocol protocol = Protocol::kOpenAi;
  Transport transport = Transport::kTls;
  std::string host;                                 // lower case, without brackets
  std::optional<boost::asio::ip::address> literal;  // set if the host is an IP address
  std::uint16_t port = 443;
  std::string base_path;  // without a trailing slash, "/v1" added where the protocol asks for it

  // "NAME=[openai:|anthropic:]BASE_URL". Without a protocol it is openai, except for the name "anthropic".
  // kInvalidInput with what to write instead; kForbidden code "unsafe" for http to anything but a loopback literal or
  // "localhost", since the key would travel in clear text.
  static Result<ProviderConfig> Parse(std::string_view text);

  bool is_localhost() const { return host == "localhost"; }
  // The value of a Host header.
  std::string Authority() const;
  // kInvalidInput if this protocol has no such endpoint.
  Result<std::string> Target(Endpoint endpoint) const;
};

// The whole head of a request, empty line included. Of `passed` only anthropic-version, anthropic-beta and accept are
// considered, each only in a well-formed value. Precondition: IsUsableKey(key).
ipc::Bytes BuildRequestHead(const ProviderConfig& provider, Endpoint endpoint, std::string_view target,
                            const Secret& key, const std::vector<std::pair<std::string, std::string>>& passed,
                            std::size_t body_size);

}  // namespace nd::keeper
