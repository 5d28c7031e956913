// Which Host and Origin values are ours. Exact comparison after lower-casing; nothing is matched by pattern.
//
// Immutable; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace nd::server {

struct OriginsConfig {
  std::vector<std::string> public_origins;  // "https://deck.example[:port]"
  std::vector<std::string> listen_hosts;    // without port; IPv6 in brackets
  std::vector<std::string> cors_origins;
  std::uint16_t port = 0;
  bool tls = false;
};

class Origins {
 public:
  explicit Origins(const OriginsConfig& config);

  bool IsOurHost(std::string_view host) const;
  bool IsOurOrigin(std::string_view origin) const;
  bool IsCorsOrigin(std::string_view origin) const;

  // RFC 6454 origin of http or https, lower-case, nothing behind the port; kInvalidInput otherwise.
  static Result<void> Check(std::string_view origin);

 private:
  std::unordered_set<std::string> hosts_, origins_, cors_;
};

enum class RequestSource : std::uint8_t { kOurs, kCors, kForeign };
// Judges Origin and Sec-Fetch-Site (Fetch Metadata). Absent both: a program, ours. A top-level navigation to a page may
// come from anywhere if `page` is set.
enum class Target : std::uint8_t { kApi, kPage };
RequestSource JudgeSource(const Origins& origins, const http::Request& request, Target target);

}  // namespace nd::server
