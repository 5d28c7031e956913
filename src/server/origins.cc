#include "server/origins.h"

#include "base/text.h"

namespace nd::server {

namespace {
// "https://deck.example" -> scheme and authority; empty scheme if it is no origin.
struct Parts {
  std::string_view scheme, authority;
};

Parts Split(std::string_view origin) {
  for (const std::string_view scheme : {"https", "http"}) {
    if (!origin.starts_with(scheme) || origin.substr(scheme.size()).substr(0, 3) != "://") continue;
    const std::string_view authority = origin.substr(scheme.size() + 3);
    if (authority.empty() || authority.find_first_of("/?#@ \\") != std::string_view::npos) return {};
    return {scheme, authority};
  }
  return {};
}

// A browser leaves the default port away; a program may write it.
void AddBothPortForms(std::unordered_set<std::string>& set, const std::string& prefix, std::string_view scheme,
                      std::string_view authority) {
  const std::string text = LowerAscii(authority);
  const std::string default_port = scheme == "https" ? ":443" : ":80";
  set.insert(prefix + text);
  if (text.ends_with(default_port)) {
    set.insert(prefix + text.substr(0, text.size() - default_port.size()));
  } else if (text.rfind(':') == std::string::npos || text.back() == ']') {
    set.insert(prefix + text + default_port);
  }
}
}  // namespace

Origins::Origins(const OriginsConfig& config) {
  const std::string_view scheme = config.tls ? "https" : "http";
  const std::string prefix = std::string(scheme) + "://";
  for (const std::string& host : config.listen_hosts) {
    const std::string authority = host + ":" + std::to_string(config.port);
    AddBothPortForms(hosts_, "", scheme, authority);
    AddBothPortForms(origins_, prefix, scheme, authority);
  }
  for (const std::string& origin : config.public_origins) {
    const Parts parts = Split(origin);
    AddBothPortForms(hosts_, "", parts.scheme, parts.authority);
    AddBothPortForms(origins_, std::string(parts.scheme) + "://", parts.scheme, parts.authority);
  }
  for (const std::string& origin : config.cors_origins) cors_.insert(LowerAscii(origin));
}

bool Origins::IsOurHost(std::string_view host) const {
  return host.size() <= 300 && hosts_.contains(LowerAscii(host));
}

bool Origins::IsOurOrigin(std::string_view origin) const {
  return origin.size() <= 300 && origins_.contains(LowerAscii(origin));
}

bool Origins::IsCorsOrigin(std::string_view origin) const {
  return origin.size() <= 300 && cors_.contains(LowerAscii(origin));
}

Result<void> Origins::Check(std::string_view origin) {
  if (Split(origin).scheme.empty() || origin != LowerAscii(origin)) {
    return InvalidInput("An origin is written like https://deck.example or http://10.0.0.5:8080: scheme, host and port, in "
                        "lower case, with nothing behind them.");
  }
  return {};
}

RequestSource JudgeSource(const Origins& origins, const http::Request& request, Target target) {
  if (request.Has(http::Known::kOrigin)) {
    const std::string_view origin = request.Get(http::Known::kOrigin);
    if (origins.IsCorsOrigin(origin)) return RequestSource::kCors;
    if (!origins.IsOurOrigin(origin)) return RequestSource::kForeign;
  }
  if (request.Has(http::Known::kSecFetchSite)) {
    const std::string_view site = request.Get(http::Known::kSecFetchSite);
    if (site == "same-origin") return RequestSource::kOurs;
    const bool navigation = request.Get(http::Known::kSecFetchMode) == "navigate";
    // "none" is a person typing an address. A link elsewhere may lead to a page of ours, never to the API.
    if (navigation && (site == "none" || (target == Target::kPage && request.method == http::Method::kGet))) {
      return RequestSource::kOurs;
    }
    return RequestSource::kForeign;
  }
  return RequestSource::kOurs;
}

}  // namespace nd::server
