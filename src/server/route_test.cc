#include "server/route.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/files.h"

namespace nd::server {
namespace {

bool IsMutation(const Route& route) { return route.method != http::Method::kGet; }

std::string WhoMayCall(const Access& access) {
  if (access.anonymous()) return "anyone";
  std::string who;
  for (const session::Role role : {session::Role::kAdmin, session::Role::kOperator, session::Role::kViewer, session::Role::kAuditor}) {
    if (!access.Admits(role)) continue;
    if (!who.empty()) who += ", ";
    who += session::RoleName(role);
  }
  if (access.agents() == Access::Agents::kWithModelScope) who += "; agents with a model scope";
  if (access.agents() == Access::Agents::kAny) who += "; agents";
  return who;
}

std::string BodyText(const BodyRule& body) {
  switch (body.kind()) {
    case BodyRule::Kind::kNone: return "none";
    case BodyRule::Kind::kJson: return fmt::format("JSON, {} KiB{}", body.limit() / 1024, body.sensitive() ? ", wiped" : "");
    case BodyRule::Kind::kCspReport: return fmt::format("CSP report, {} KiB", body.limit() / 1024);
  }
  return "";
}

std::string TableRow(const Route& route) {
  const std::string csrf = route.csrf.required() ? "required" : IsMutation(route) ? fmt::format("exempt: {}", route.csrf.reason()) : "reads only";
  return fmt::format("| `{} {}` | {} | {} | {} | {} | {} |", http::MethodName(route.method), route.pattern, WhoMayCall(route.access), csrf,
                     RateClassName(route.rate), AuditClassName(route.audit), BodyText(route.body));
}

std::string Document(const std::string& path) {
  auto text = ReadTextFile(std::string(ND_SOURCE_DIR) + "/" + path, 1 << 20);
  return text.ok() ? *text : "";
}

TEST(RouteTable, EveryMutationNeedsTheCsrfTokenOrSaysWhyNot) {
  for (const Route& route : Routes()) {
    if (!IsMutation(route)) {
      EXPECT_FALSE(route.csrf.required()) << route.pattern;
      continue;
    }
    EXPECT_TRUE(route.csrf.required() || route.csrf.reason().size() > 10) << route.pattern;
  }
}

TEST(RouteTable, OnlyTheNamedRoutesAreOpenToAnyone) {
  std::set<std::string> open;
  for (const Route& route : Routes()) {
    if (route.access.anonymous()) open.insert(fmt::format("{} {}", http::MethodName(route.method), route.pattern));
  }
  EXPECT_EQ(open, (std::set<std::string>{"GET /", "GET /setup", "GET /health", "GET /metrics", "POST /api/setup",
                                         "POST /api/auth/session", "POST /api/auth/refresh", "POST /api/csp-report"}));
}

TEST(RouteTable, CredentialRoutesAreInTheStrictRateClass) {
  for (const std::string_view pattern : {"/api/setup", "/api/auth/session", "/api/auth/password"}) {
    const RouteMatch match = MatchRoute(http::Method::kPost, pattern);
    ASSERT_NE(match.route, nullptr) << pattern;
    EXPECT_EQ(match.route->rate, RateClass::kSignIn) << pattern;
    EXPECT_TRUE(match.route->body.sensitive()) << pattern;
  }
}

TEST(RouteTable, NoTwoRowsAnswerTheSameRequest) {
  std::set<std::string> seen;
  for (const Route& route : Routes()) EXPECT_TRUE(seen.insert(TableRow(route).substr(0, TableRow(route).find(" | ", 3))).second);
}

TEST(RouteTable, TheProtocolDocumentHasEveryRowAsItIs) {
  const std::string document = Document("docs/protocol/http.md");
  std::string missing;
  for (const Route& route : Routes()) {
    if (document.find(TableRow(route)) == std::string::npos) missing += TableRow(route) + "\n";
  }
  EXPECT_EQ(missing, "") << "rows that docs/protocol/http.md lacks";
}

TEST(RouteTable, TheOpenApiDocumentHasEveryPathAndMethod) {
  const std::string document = Document("docs/openapi.yaml");
  for (const Route& route : Routes()) {
    std::string pattern(route.pattern);
    if (const auto colon = pattern.find(':'); colon != std::string::npos) {
      const auto end = pattern.find('/', colon);
      const std::string name = pattern.substr(colon + 1, end == std::string::npos ? end : end - colon - 1);
      pattern.replace(colon, name.size() + 1, "{" + name + "}");
    }
    const auto path = document.find("\n  " + pattern + ":\n");
    ASSERT_NE(path, std::string::npos) << pattern;
    const auto next = document.find("\n  /", path + 4);
    std::string method(http::MethodName(route.method));
    for (char& c : method) c = static_cast<char>(c + 32);
    EXPECT_LT(document.find("\n    " + method + ":\n", path), next) << method << " " << pattern;
  }
}

TEST(MatchRoute, FindsPathsByTheirExactBytesOnly) {
  EXPECT_NE(MatchRoute(http::Method::kGet, "/health").route, nullptr);
  for (const std::string_view path : {"/health/", "//health", "/Health", "/health;x", "/./health", "/a/../health", "/%68ealth", "", "/healt"}) {
    EXPECT_FALSE(MatchRoute(http::Method::kGet, path).path_known) << path;
  }
}

TEST(MatchRoute, TakesOneSegmentAsParameterAndNothingElse) {
  const RouteMatch match = MatchRoute(http::Method::kPost, "/api/config/keys/openai/test");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.parameter, "openai");
  for (const std::string_view path : {"/api/config/keys/", "/api/config/keys/a/b", "/api/config/keys/..", "/api/config/keys/.",
                                      "/api/config/keys/a%2fb", "/api/config/keys/a b"}) {
    EXPECT_FALSE(MatchRoute(http::Method::kGet, path).path_known) << path;
  }
  EXPECT_TRUE(MatchRoute(http::Method::kGet, "/api/config/keys/" + std::string(128, 'a')).path_known);
  EXPECT_FALSE(MatchRoute(http::Method::kGet, "/api/config/keys/" + std::string(129, 'a')).path_known);
}

TEST(MatchRoute, ListsTheMethodsOfAKnownPath) {
  const RouteMatch match = MatchRoute(http::Method::kPut, "/api/auth/sessions");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_TRUE(match.path_known);
  EXPECT_EQ(match.allow, "GET, HEAD, DELETE");
  EXPECT_NE(MatchRoute(http::Method::kHead, "/health").route, nullptr);
}

}  // namespace
}  // namespace nd::server
