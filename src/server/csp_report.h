// CSP violation reports as browsers send them: `application/csp-report` (one) and `application/reports+json` (several).
//
// Pure; thread-safe. Everything in a report comes from outside: kept short, and only origins and paths of URLs, since
// queries carry tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nd::server {

struct CspReport {
  std::string directive;    // e.g. "script-src-elem"; at most 64 bytes of [a-z-]
  std::string blocked;      // "inline", "eval", or an origin
  std::string page;         // path of the page
  std::string disposition;  // "enforce" or "report"
  friend bool operator==(const CspReport&, const CspReport&) = default;
};

inline constexpr std::size_t kMaxReports = 20;  // of one request; the rest is not looked at

// kInvalidInput if it is neither format. Reports of another type in a batch, and repetitions, are passed over.
Result<std::vector<CspReport>> ParseCspReports(std::string_view body);

}  // namespace nd::server
