#include "server/route.h"

#include <unordered_map>
#include <vector>

namespace nd::server {

namespace {

bool IsParameterSegment(std::string_view segment) {
  if (segment.empty() || segment.size() > 128 || segment == "." || segment == "..") return false;
  for (const char c : segment) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                      c == '~' || c == '@' || c == '-';
    if (!good) return false;
  }
  return true;
}

// Matches a pattern with one ":name" segment.
bool MatchPattern(std::string_view pattern, std::string_view path, std::string_view& parameter) {
  const std::size_t colon = pattern.find(':');
  const std::string_view before = pattern.substr(0, colon);
  const std::size_t pattern_slash = pattern.find('/', colon);
  const std::string_view after = pattern_slash == std::string_view::npos ? std::string_view() : pattern.substr(pattern_slash);
  if (!path.starts_with(before) || path.size() < before.size() + after.size() || !path.ends_with(after)) return false;
  const std::string_view segment = path.substr(before.size(), path.size() - before.size() - after.size());
  if (!IsParameterSegment(segment)) return false;
  parameter = segment;
  return true;
}

struct Index {
  std::unordered_map<std::string_view, std::vector<const Route*>> exact;
  std::vector<const Route*> patterns;

  Index() {
    for (const Route& route : Routes()) {
      if (route.pattern.find(':') == std::string_view::npos) {
        exact[route.pattern].push_back(&route);
      } else {
        patterns.push_back(&route);
      }
    }
  }
};

void Consider(RouteMatch& match, const Route& route, http::Method method) {
  match.path_known = true;
  const bool head = method == http::Method::kHead && route.method == http::Method::kGet;
  if (route.method == method || head) match.route = &route;
  if (!match.allow.empty()) match.allow += ", ";
  match.allow += http::MethodName(route.method);
  if (route.method == http::Method::kGet) match.allow += ", HEAD";
}

}  // namespace

RouteMatch MatchRoute(http::Method method, std::string_view path) {
  static const Index index;
  RouteMatch match;
  if (const auto found = index.exact.find(path); found != index.exact.end()) {
    for (const Route* route : found->second) {
      if (route->method == method) {
        match.path_known = true;
        match.route = route;
        return match;
      }
    }
    for (const Route* route : found->second) Consider(match, *route, method);
    return match;
  }
  for (const Route* route : index.patterns) {
    std::string_view parameter;
    if (!MatchPattern(route->pattern, path, parameter)) continue;
    match.parameter = parameter;
    Consider(match, *route, method);
  }
  return match;
}

std::string_view RateClassName(RateClass rate) {
  switch (rate) {
    case RateClass::kSignIn: return "sign-in";
    case RateClass::kUnknownPath: return "unknown-path";
    case RateClass::kReport: return "report";
    case RateClass::kBadToken: return "bad-token";
    case RateClass::kPublic: return "public";
    case RateClass::kPrincipal: return "principal";
  }
  return "";
}

std::string_view AuditClassName(AuditClass audit) {
  switch (audit) {
    case AuditClass::kNone: return "none";
    case AuditClass::kWrite: return "write";
    case AuditClass::kSync: return "sync";
  }
  return "";
}

}  // namespace nd::server
