// Reading the audit log, and signed remarks in it.

#include "audit/reader.h"
#include "server/handlers.h"
#include "server/offload.h"
#include "server/query.h"
#include "server/services.h"

namespace nd::server {

net::Task<Result<Reply>> HandleAuditLogs(Context& context) {
  QueryReader query(context.request.query);
  audit::Query wanted;
  wanted.limit = static_cast<std::size_t>(query.Integer("limit", 1, 1000).value_or(100));
  if (const auto cursor = query.Text("cursor", 256)) wanted.cursor = *cursor;
  ND_CO_TRY(query.Finish());

  auto work = [directory = context.services.config.audit_directory, wanted] { return audit::Reader(directory).Read(wanted); };
  ND_CO_ASSIGN(const audit::Page page, co_await Offload(context.loop(), context.services.world.store_worker, std::move(work)));

  audit::Record record = RecordOf(context, audit::Event::kAuditRead, "sensitive_read", "read", "audit-logs");
  record.data.emplace_back("limit", static_cast<std::int64_t>(wanted.limit));
  record.data.emplace_back("count", static_cast<std::int64_t>(page.records.size()));
  // Reads go on while the log cannot be written; /health and /api/status tell that it is so.
  (void)co_await context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite);

  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("logs").BeginArray();
  for (const std::string& line : page.records) json.Raw(line);
  json.EndArray().Member("count", static_cast<std::int64_t>(page.records.size())).MemberOrNull("next", page.next).EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleAuditNote(Context& context) {
  ND_CO_ASSIGN(const JsonDocument document, ParseJson(context.request.body));
  ObjectReader reader(document.root());
  const std::string text(reader.String("text", 1, 4096));
  ND_CO_TRY(reader.Finish());
  audit::Record record = RecordOf(context, audit::Event::kAuditNote, "sensitive_create", "note", "audit-log");
  record.data.emplace_back("text", text);
  ND_CO_ASSIGN(const std::uint64_t sequence,
               co_await context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kSync));
  std::string body;
  JsonWriter(body).BeginObject().MemberBool("success", true).Member("seq", static_cast<std::int64_t>(sequence)).EndObject();
  co_return JsonResponse(std::move(body), 201);
}

}  // namespace nd::server
