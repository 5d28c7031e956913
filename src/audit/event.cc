#include "audit/event.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nd::audit {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kFile[] = {"path", "size", "hashBefore", "hashAfter"};
constexpr std::string_view kCommand[] = {"argv", "exitCode", "signal", "durationMs", "outputHash",
                                         "bytes", "class", "policyHash"};
constexpr std::string_view kAuth[] = {"method", "throttled", "userAgent"};
constexpr std::string_view kSession[] = {"sessionEnds", "reason", "count"};
constexpr std::string_view kKey[] = {"scope", "label", "result", "keyVersion"};
constexpr std::string_view kSocket[] = {"namespace", "transport", "cause"};
constexpr std::string_view kCsrf[] = {"route", "method", "kind"};
constexpr std::string_view kRate[] = {"class", "retryAfter", "route", "method"};
constexpr std::string_view kCsp[] = {"directive", "blocked", "page", "disposition"};
constexpr std::string_view kModel[] = {"provider", "model",    "stream",       "status",           "durationMs", "bytesIn",
                                       "bytesOut", "promptTokens", "completionTokens", "errorCode", "endpoint"};
constexpr std::string_view kUser[] = {"role", "disabled", "scopes", "name", "expiresAt", "change"};
constexpr std::string_view kConfig[] = {"setting", "from",  "to",      "file", "seq", "bytes",
                                        "sha256",  "count", "version", "pid"};
constexpr std::string_view kNote[] = {"text"};
constexpr std::string_view kRead[] = {"limit", "cursor", "count", "filters"};

struct Row {
  Event event;
  std::string_view name;
  Names schema;
};

constexpr auto kCount = static_cast<std::size_t>(Event::kCount);

constexpr std::array<Row, kCount> kRows = {{
    {Event::kFileRead, "FILE_READ", kFile},
    {Event::kFileWrite, "FILE_WRITE", kFile},
    {Event::kFileDelete, "FILE_DELETE", kFile},
    {Event::kCommandExec, "COMMAND_EXEC", kCommand},
    {Event::kAuthAttempt, "AUTH_ATTEMPT", kAuth},
    {Event::kSessionCreate, "SESSION_CREATE", kSession},
    {Event::kSessionRefresh, "SESSION_REFRESH", kSession},
    {Event::kSessionInvalidate, "SESSION_INVALIDATE", kSession},
    {Event::kRefreshReuse, "REFRESH_REUSE", kSession},
    {Event::kApiKeyOperation, "API_KEY_OPERATION", kKey},
    {Event::kSocketAuthSuccess, "SOCKET_AUTH_SUCCESS", kSocket},
    {Event::kSocketAuthFailed, "SOCKET_AUTH_FAILED", kSocket},
    {Event::kSocketDropped, "SOCKET_DROPPED", kSocket},
    {Event::kCsrfRejected, "CSRF_REJECTED", kCsrf},
    {Event::kRateLimited, "RATE_LIMITED", kRate},
    {Event::kCspViolation, "CSP_VIOLATION", kCsp},
    {Event::kModelCall, "MODEL_CALL", kModel},
    {Event::kUserChange, "USER_CHANGE", kUser},
    {Event::kConfigChange, "CONFIG_CHANGE", kConfig},
    {Event::kAuditNote, "AUDIT_NOTE", kNote},
    {Event::kAuditRead, "AUDIT_READ", kRead},
}};

constexpr bool RowsAreInOrder() {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (static_cast<std::size_t>(kRows[i].event) != i || kRows[i].name.empty()) return false;
  }
  return true;
}
static_assert(RowsAreInOrder());

constexpr std::string_view kHashMembers[] = {"hashBefore", "hashAfter", "outputHash", "policyHash", "sha256"};

}  // namespace

std::string_view EventName(Event event) { return kRows.at(static_cast<std::size_t>(event)).name; }

std::optional<Event> EventFromName(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.event;
  }
  return std::nullopt;
}

std::span<const std::string_view> SchemaOf(Event event) { return kRows.at(static_cast<std::size_t>(event)).schema; }

bool IsHashMember(std::string_view name) {
  return std::find(std::begin(kHashMembers), std::end(kHashMembers), name) != std::end(kHashMembers);
}

}  // namespace nd::audit
