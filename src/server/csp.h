// Security headers of every answer, and the Content Security Policy with a fresh nonce for pages (CSP Level 3).
//
// Immutable; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "server/deck.h"

namespace nd::server {

// The policy of pages, for one response's nonce. `report_uri` empty: nothing is reported.
std::string PagePolicy(std::string_view nonce, std::string_view report_uri);
// The policy of answers that are no page: nothing may load, nothing may frame.
std::string ApiPolicy();

class SecurityHeaders {
 public:
  explicit SecurityHeaders(const Config& config);

  // Preformatted header lines for API answers and errors: they must outlive every connection.
  const std::string& api() const { return api_; }
  // The same for pages, without the policy itself...
  const std::string& page() const { return page_; }
  // ...which is made per response.
  std::string PolicyFields(std::string_view nonce) const;

  // 16 random bytes as base64url.
  static std::string MakeNonce(Random& random) { return RandomId(random, 16); }

 private:
  CspMode mode_;
  std::string report_uri_;
  std::string api_, page_;
};

}  // namespace nd::server
