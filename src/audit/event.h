// What can be written to the audit log: events, their schemas, and one record before it has a place in the log.
//
// A record holds only fields of its event's schema; anything else never reaches the disk. No field holds a password,
// token or key: values shaped like one are replaced before writing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nd::audit {

enum class Event : std::uint8_t {
  kFileRead,
  kFileWrite,
  kFileDelete,
  kCommandExec,
  kAuthAttempt,
  kSessionCreate,
  kSessionRefresh,
  kSessionInvalidate,
  kRefreshReuse,
  kApiKeyOperation,
  kSocketAuthSuccess,
  kSocketAuthFailed,
  kSocketDropped,
  kCsrfRejected,
  kRateLimited,
  kCspViolation,
  kModelCall,
  kUserChange,
  kConfigChange,
  kAuditNote,
  kAuditRead,
  kCount,
};

// "API_KEY_OPERATION".
std::string_view EventName(Event event);
std::optional<Event> EventFromName(std::string_view name);

// The members that `data` may have for this event.
std::span<const std::string_view> SchemaOf(Event event);
// True for members that hold a SHA-256 as 64 lower-case hex digits, which is then not taken for a secret.
bool IsHashMember(std::string_view name);

enum class Phase : std::uint8_t { kIntent, kOutcome };
enum class Outcome : std::uint8_t { kSuccess, kFailure, kDenied, kUnknown };  // an intent is kUnknown
enum class ActorKind : std::uint8_t { kUser, kAgent, kSystem, kAnonymous };

struct Actor {
  ActorKind kind = ActorKind::kSystem;
  std::string id;                       // user id, agent token id, or "neuraldeck"; for kAnonymous what was claimed
  std::optional<std::string> on_behalf_of;  // the user an agent acts for
};

using DataValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

struct Record {
  Event event = Event::kConfigChange;
  // OWASP logging-vocabulary name, e.g. "authn_login_success" (static storage).
  std::string_view vocabulary;
  Actor actor;
  std::string session;      // keyed hash of the session id; empty for none
  std::string address;      // client address; empty for none
  std::string request_id;   // empty for none
  std::string_view action;  // static storage, e.g. "update"
  std::string target;
  Phase phase = Phase::kOutcome;
  Outcome outcome = Outcome::kSuccess;
  std::optional<std::string> reason;  // a fixed code of ours, never text from outside
  std::vector<std::pair<std::string_view, DataValue>> data;
};

// What happens before an acknowledgement: kWrite is written and synced within a second, kSync is durable (fdatasync).
enum class Durability : std::uint8_t { kWrite, kSync };

}  // namespace nd::audit
