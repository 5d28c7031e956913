// The table itself. Read it as the inventory of what the deck answers.

#include "server/handlers.h"
#include "server/route.h"

namespace nd::server {

namespace {
using enum http::Method;
using session::Role;
constexpr auto kModelAgents = Access::Agents::kWithModelScope;

constexpr Access kAdmin = Access::Users({Role::kAdmin});
constexpr Access kAuditors = Access::Users({Role::kAdmin, Role::kAuditor});
constexpr Access kOperators = Access::Users({Role::kAdmin, Role::kOperator});
constexpr Access kModelCallers = Access::Users({Role::kAdmin, Role::kOperator}, kModelAgents);

constexpr CsrfRule kSafe = CsrfRule::Safe();
constexpr CsrfRule kCsrf = CsrfRule::Required();
constexpr CsrfRule kFirstCredentials = CsrfRule::ExemptBecause("credentials are in the body; nothing ambient signs anyone in");
constexpr CsrfRule kOwnCheck = CsrfRule::ExemptBecause("checked with the refresh token, whose generation it must match");
constexpr CsrfRule kReports = CsrfRule::ExemptBecause("browsers send reports by themselves and cannot add a header");

using enum AuditClass;
using enum ErrorShape;
constexpr BodyRule kNoBody = BodyRule::None();
constexpr std::size_t kSmall = 16 * 1024;
constexpr std::size_t kModelBody = 8 * 1024 * 1024;  // long contexts and images; the keeper takes no more either

constexpr Route kRoutes[] = {
    {kGet, "/", Access::Anyone(), kSafe, RateClass::kPublic, kNone, kNoBody, kProblem, HandlePage},
    {kGet, "/setup", Access::Anyone(), kSafe, RateClass::kPublic, kNone, kNoBody, kProblem, HandlePage},
    {kGet, "/health", Access::Anyone(), kSafe, RateClass::kPublic, kNone, kNoBody, kProblem, HandleHealth},
    {kGet, "/metrics", Access::Anyone(), kSafe, RateClass::kPublic, kNone, kNoBody, kProblem, HandleMetrics},
    {kGet, "/api/status", kAuditors, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleStatus},

    {kPost, "/api/setup", Access::Anyone(), kFirstCredentials, RateClass::kSignIn, kSync, BodyRule::SecretJson(kSmall), kProblem, HandleSetup},
    {kPost, "/api/auth/session", Access::Anyone(), kFirstCredentials, RateClass::kSignIn, kWrite, BodyRule::SecretJson(kSmall), kProblem, HandleSignIn},
    {kPost, "/api/auth/refresh", Access::Anyone(), kOwnCheck, RateClass::kPublic, kWrite, kNoBody, kProblem, HandleRefresh},
    {kPost, "/api/auth/logout", Access::AnyUser(), kCsrf, RateClass::kPrincipal, kWrite, kNoBody, kProblem, HandleLogout},
    {kPost, "/api/auth/password", Access::AnyUser(), kCsrf, RateClass::kSignIn, kSync, BodyRule::SecretJson(kSmall), kProblem, HandlePassword},
    {kGet, "/api/auth/me", Access::AnyUser(), kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleMe},
    {kGet, "/api/auth/csrf-token", Access::AnyUser(), kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleCsrfToken},
    {kGet, "/api/auth/sessions", Access::AnyUser(), kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleListSessions},
    {kDelete, "/api/auth/sessions", Access::AnyUser(), kCsrf, RateClass::kPrincipal, kWrite, kNoBody, kProblem, HandleEndAllSessions},
    {kGet, "/api/auth/sessions/:id", Access::AnyUser(), kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleGetSession},
    {kDelete, "/api/auth/sessions/:id", Access::AnyUser(), kCsrf, RateClass::kPrincipal, kWrite, kNoBody, kProblem, HandleEndSession},

    {kGet, "/api/users", kAdmin, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleListUsers},
    {kPost, "/api/users", kAdmin, kCsrf, RateClass::kPrincipal, kSync, BodyRule::SecretJson(kSmall), kProblem, HandleAddUser},
    {kGet, "/api/users/:id", kAdmin, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleGetUser},
    {kPatch, "/api/users/:id", kAdmin, kCsrf, RateClass::kPrincipal, kSync, BodyRule::SecretJson(kSmall), kProblem, HandleUpdateUser},
    {kGet, "/api/agents/tokens", kOperators, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleListTokens},
    {kPost, "/api/agents/tokens", kOperators, kCsrf, RateClass::kPrincipal, kSync, BodyRule::Json(kSmall), kProblem, HandleCreateToken},
    {kDelete, "/api/agents/tokens/:id", kOperators, kCsrf, RateClass::kPrincipal, kSync, kNoBody, kProblem, HandleRevokeToken},

    {kGet, "/api/config/keys", kOperators, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleListKeys},
    {kGet, "/api/config/keys/:provider", kOperators, kSafe, RateClass::kPrincipal, kNone, kNoBody, kProblem, HandleGetKey},
    {kPost, "/api/config/keys/:provider", kOperators, kCsrf, RateClass::kPrincipal, kSync, BodyRule::SecretJson(kSmall), kProblem, HandlePutKey},
    {kPut, "/api/config/keys/:provider", kOperators, kCsrf, RateClass::kPrincipal, kSync, BodyRule::SecretJson(kSmall), kProblem, HandlePutKey},
    {kDelete, "/api/config/keys/:provider", kOperators, kCsrf, RateClass::kPrincipal, kSync, kNoBody, kProblem, HandleDeleteKey},
    {kPost, "/api/config/keys/:provider/test", kOperators, kCsrf, RateClass::kPrincipal, kSync, kNoBody, kProblem, HandleTestKey},

    {kPost, "/api/chat", kModelCallers, kCsrf, RateClass::kPrincipal, kWrite, BodyRule::Json(kModelBody), kProblem, HandleChat},
    {kPost, "/v1/chat/completions", kModelCallers, kCsrf, RateClass::kPrincipal, kWrite, BodyRule::Json(kModelBody), kOpenAi, HandleChatCompletions},
    {kPost, "/v1/embeddings", kModelCallers, kCsrf, RateClass::kPrincipal, kWrite, BodyRule::Json(kModelBody), kOpenAi, HandleEmbeddings},
    {kGet, "/v1/models", kModelCallers, kSafe, RateClass::kPrincipal, kWrite, kNoBody, kOpenAi, HandleModels},
    {kPost, "/v1/messages", kModelCallers, kCsrf, RateClass::kPrincipal, kWrite, BodyRule::Json(kModelBody), kAnthropic, HandleMessages},

    {kPost, "/api/csp-report", Access::Anyone(), kReports, RateClass::kReport, kWrite, BodyRule::CspReport(64 * 1024), kProblem, HandleCspReport},
    {kGet, "/api/security/audit-logs", kAuditors, kSafe, RateClass::kPrincipal, kWrite, kNoBody, kProblem, HandleAuditLogs},
    {kPost, "/api/security/audit-logs/notes", kAuditors, kCsrf, RateClass::kPrincipal, kSync, BodyRule::Json(kSmall), kProblem, HandleAuditNote},
};
}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace nd::server
