// Health for everyone, status for those who run the deck, metrics for machines.

#include <fmt/format.h>

#include "base/secret.h"
#include "net/address.h"
#include "server/handlers.h"
#include "server/services.h"

namespace nd::server {

namespace {
std::int64_t UptimeSeconds(const Services& services) {
  return std::chrono::duration_cast<std::chrono::seconds>(services.world.clock.Steady() - services.started_at).count();
}

// Loopback may read metrics while no proxy could be making others look like loopback; else the token decides.
Result<void> CheckMetricsAccess(const Context& context) {
  const Config& config = context.services.config;
  if (!config.metrics_token.empty()) {
    const std::string_view value = context.request.Get(http::Known::kAuthorization);
    if (value.starts_with("Bearer ") && EqualConstantTime(value.substr(7), config.metrics_token)) return {};
    return Unauthenticated("Send the metrics token as \"Authorization: Bearer <token>\".", "metrics token");
  }
  if (config.trusted_proxies.empty() && net::Canonical(context.request.peer).is_loopback()) return {};
  return Forbidden("Metrics are readable from loopback only, unless the deck is started with --metrics-token-file.", "metrics");
}

void Metric(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Counter(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  Metric(out, name, help, "counter");
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

void Gauge(std::string& out, std::string_view name, std::string_view help, std::uint64_t value) {
  Metric(out, name, help, "gauge");
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}
}  // namespace

net::Task<Result<Reply>> HandleHealth(Context& context) {
  const audit::Health health = context.services.audit.health();
  std::string body;
  JsonWriter(body)
      .BeginObject()
      .Member("status", health.degraded ? "DEGRADED" : "ONLINE")
      .Member("uptime", UptimeSeconds(context.services))
      .EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleStatus(Context& context) {
  Services& services = context.services;
  const audit::Health health = services.audit.health();
  const auto vault = co_await services.Keeper(context.loop()).Status();
  std::string body;
  JsonWriter json(body);
  json.BeginObject()
      .Member("status", health.degraded || !vault.ok() || !vault->unreadable.empty() ? "DEGRADED" : "ONLINE")
      .Member("uptime", UptimeSeconds(services))
      .Member("version", services.config.version)
      .Key("audit").BeginObject()
      .MemberBool("degraded", health.degraded)
      .MemberOrNull("reason", health.degraded ? std::optional(health.reason) : std::nullopt)
      .Member("lastSeq", static_cast<std::int64_t>(services.audit.last_sequence()))
      .EndObject();
  json.Key("vault").BeginObject().MemberBool("open", vault.ok());
  if (vault.ok()) {
    json.Member("records", static_cast<std::int64_t>(vault->records))
        .Member("generation", static_cast<std::int64_t>(vault->generation))
        .Member("rootKeySource", vault->root_key_source)
        .Key("unreadable").BeginArray();
    for (const std::string& id : vault->unreadable) json.String(id);
    json.EndArray();
  }
  json.EndObject();
  json.Member("confinement", services.config.confinement);
  // No commands can be run yet, so there is no sandbox to speak of.
  json.Key("sandbox").BeginObject().Member("level", "none").Member("reason", "this version runs no commands").EndObject();
  json.Key("sessions").Integer(static_cast<std::int64_t>(services.world.sessions.ListAllSessions().size()));
  json.Key("connections").Integer(static_cast<std::int64_t>(services.world.connections.total()));
  json.EndObject();
  co_return JsonResponse(std::move(body));
}

net::Task<Result<Reply>> HandleMetrics(Context& context) {
  ND_CO_TRY(CheckMetricsAccess(context));
  Services& services = context.services;
  const Counters& counters = services.counters;
  std::string out;
  Metric(out, "neuraldeck_http_responses_total", "Answers by status class.", "counter");
  for (std::size_t i = 1; i < counters.by_class.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "neuraldeck_http_responses_total{{class=\"{}xx\"}} {}\n", i, counters.by_class[i].load());
  }
  Counter(out, "neuraldeck_sign_ins_total", "Successful sign-ins.", counters.sign_ins);
  Counter(out, "neuraldeck_sign_in_failures_total", "Refused sign-ins, throttled ones included.", counters.sign_in_failures);
  Counter(out, "neuraldeck_csrf_rejected_total", "Requests refused by the CSRF and origin checks.", counters.csrf_rejected);
  Counter(out, "neuraldeck_rate_limited_total", "Requests refused by a rate limit.", counters.rate_limited);
  Counter(out, "neuraldeck_model_calls_total", "Calls relayed to providers.", counters.model_calls);
  Counter(out, "neuraldeck_model_errors_total", "Relayed calls that failed.", counters.model_errors);
  Counter(out, "neuraldeck_prompt_tokens_total", "Prompt tokens as providers told them.", counters.prompt_tokens);
  Counter(out, "neuraldeck_completion_tokens_total", "Completion tokens as providers told them.", counters.completion_tokens);
  Counter(out, "neuraldeck_csp_reports_total", "CSP violation reports received.", counters.csp_reports);
  Counter(out, "neuraldeck_audit_records_total", "Sequence number of the last audit record.", services.audit.last_sequence());
  Gauge(out, "neuraldeck_audit_degraded", "1 while the audit log cannot be written.", services.audit.health().degraded ? 1 : 0);
  Gauge(out, "neuraldeck_connections", "Open connections.", services.world.connections.total());
  Gauge(out, "neuraldeck_uptime_seconds", "Seconds since start.", static_cast<std::uint64_t>(UptimeSeconds(services)));
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = std::move(out);
  co_return response;
}

}  // namespace nd::server
