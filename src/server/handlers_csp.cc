// Reports of the Content Security Policy, in both formats browsers send.

#include <utility>

#include "net/address.h"
#include "server/csp_report.h"
#include "server/handlers.h"
#include "server/pipeline.h"
#include "server/services.h"

namespace nd::server {

net::Task<Result<Reply>> HandleCspReport(Context& context) {
  ND_CO_ASSIGN(const std::vector<CspReport> reports, ParseCspReports(context.request.body));
  bool first = true;
  for (const CspReport& report : reports) {
    // The request itself was counted once; a batch counts for each report, so that it is no way around the limit.
    if (!std::exchange(first, false) &&
        context.services.limiter.Take(RateClass::kReport, net::LimitKey(ClientAddress(context.services, context.request))) > 0) {
      break;
    }
    context.services.counters.csp_reports.fetch_add(1, std::memory_order_relaxed);
    audit::Record record = RecordOf(context, audit::Event::kCspViolation, "malicious_csp_violation", "report", report.page);
    record.outcome = audit::Outcome::kDenied;
    record.data.emplace_back("directive", report.directive);
    record.data.emplace_back("blocked", report.blocked);
    record.data.emplace_back("page", report.page);
    record.data.emplace_back("disposition", report.disposition);
    ND_CO_TRY(co_await context.services.audit.Append(context.loop(), std::move(record), audit::Durability::kWrite));
  }
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace nd::server
