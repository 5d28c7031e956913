// The caller's sessions: list, end one, end all.

#include "server/handlers.h"
#include "server/offload.h"
#include "server/services.h"

namespace nd::server {

namespace {
net::Task<Result<std::uint64_t>> RecordEnd(Context& context, std::string target, std::int64_t count) {
  audit::Record record =
      RecordOf(context, audit::Event::kSessionInvalidate, "session_logout", "end", std::move(target));
  record.data.emplace_back("reason", std::string(session::EndReasonName(session::EndReason::kEndedByUser)));
  record.data.emplace_back("count", count);
  return context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite);
}

void WriteSession(JsonWriter& json, const session::SessionInfo& info, const session::Caller& caller) {
  json.BeginObject()
      .Member("id", info.id)
      .Member("createdAt", FormatRfc3339Seconds(info.created_at))
      .Member("lastSeenAt", FormatRfc3339Seconds(info.last_seen_at))
      .Member("endsAt", FormatRfc3339Seconds(info.ends_at))
      .Member("address", info.address)
      .Member("userAgent", info.user_agent)
      .MemberBool("current", info.id == caller.id())
      .EndObject();
}
}  // namespace

net::Task<Result<Reply>> HandleListSessions(Context& context) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("sessions").BeginArray();
  for (const session::SessionInfo& info : context.services.world.sessions.ListSessions(context.caller().user())) {
    WriteSession(json, info, context.caller());
  }
  json.EndArray().EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleGetSession(Context& context) {
  for (const session::SessionInfo& info : context.services.world.sessions.ListSessions(context.caller().user())) {
    if (info.id != context.state.parameter) continue;
    std::string body;
    JsonWriter json(body);
    WriteSession(json, info, context.caller());
    co_return JsonResponse(std::move(body));
  }
  co_return NotFound("You have no such session.");
}

net::Task<Result<Reply>> HandleEndAllSessions(Context& context) {
  session::Sessions& sessions = context.services.world.sessions;
  const std::string user = context.caller().user();
  auto work = [&sessions, user] { return sessions.EndAllSessions(user, "", session::EndReason::kEndedByUser); };
  ND_CO_ASSIGN(const std::size_t count,
               co_await Offload(context.loop(), context.services.world.store_worker, std::move(work)));
  // They are over, whatever the log says.
  (void)co_await RecordEnd(context, user, static_cast<std::int64_t>(count));
  co_return JsonResponse(R"({"success":true})");
}

net::Task<Result<Reply>> HandleEndSession(Context& context) {
  session::Sessions& sessions = context.services.world.sessions;
  const std::string id(context.state.parameter);
  // An administrator may end anyone's session; others their own. A foreign id is "not found" either way.
  const std::string owner = context.caller().role() == session::Role::kAdmin ? std::string() : context.caller().user();
  auto work = [&sessions, id, owner] { return sessions.EndSession(id, owner, session::EndReason::kEndedByUser); };
  ND_CO_TRY(co_await Offload(context.loop(), context.services.world.store_worker, std::move(work)));
  (void)co_await RecordEnd(context, sessions.LogHash(id), 1);
  co_return JsonResponse(R"({"success":true})");
}

}  // namespace nd::server
