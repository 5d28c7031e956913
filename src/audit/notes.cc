#include "audit/notes.h"

#include <unistd.h>

namespace nd::audit {

namespace {
Record Note(std::string_view vocabulary, std::string_view action, std::string target) {
  Record record;
  record.event = Event::kConfigChange;
  record.vocabulary = vocabulary;
  record.actor.id = "neuraldeck";
  record.action = action;
  record.target = std::move(target);
  return record;
}

DataValue Number(std::uint64_t number) { return static_cast<std::int64_t>(number); }
}  // namespace

Record StartNote() {
  Record record = Note("sys_startup", "start", "neuraldeck");
  record.data = {{"version", std::string(ND_VERSION)}, {"pid", std::int64_t{getpid()}}};
  return record;
}

Record StopNote() {
  Record record = Note("sys_shutdown", "stop", "neuraldeck");
  record.data = {{"pid", std::int64_t{getpid()}}};
  return record;
}

Record TornNoteRecord(const TornNote& torn, std::string_view segment) {
  Record record = Note("sys_crash", "recovered", std::string(segment));
  record.reason = "torn_line";
  record.data = {{"file", torn.file}, {"bytes", Number(torn.bytes)}, {"sha256", torn.sha256}};
  return record;
}

Record DegradedNote(Trouble trouble, std::uint64_t refused) {
  Record record = Note("sys_monitor_disabled", "audit_degraded", "audit");
  record.outcome = Outcome::kFailure;
  record.reason = trouble == Trouble::kDiskFull ? "disk_full" : "io_error";
  record.data = {{"count", Number(refused)}};
  return record;
}

Record HealedNote(std::uint64_t refused, std::pair<std::uint64_t, std::uint64_t> lost) {
  Record record = Note("sys_monitor_enabled", "audit_recovered", "audit");
  record.data = {{"count", Number(refused)}};
  if (lost.first != 0) {
    record.reason = "records_lost";
    record.data.emplace_back("from", Number(lost.first));
    record.data.emplace_back("to", Number(lost.second));
  }
  return record;
}

Record RetentionNote(const std::string& file, std::uint64_t sequence, std::uint64_t bytes, const std::string& sha256) {
  Record record = Note("sensitive_delete", "retention", file);
  record.data = {{"file", file}, {"bytes", Number(bytes)}};
  if (sequence != 0) record.data.emplace_back("seq", Number(sequence));
  if (!sha256.empty()) record.data.emplace_back("sha256", sha256);
  return record;
}

Error RefusedError() {
  return WithCode(Unavailable("The audit log takes no records at the moment, so nothing was done. Free disk space or look "
                              "at the server's log, then try again.",
                              {}, 1),
                  "audit_unavailable");
}

}  // namespace nd::audit
