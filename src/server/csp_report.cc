#include "server/csp_report.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace nd::server {

namespace json = boost::json;

namespace {
std::string_view StringOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::string Short(std::string_view text, std::size_t max_size) {
  std::string out;
  for (const char c : text.substr(0, max_size)) out.push_back(c > 0x20 && c < 0x7f ? c : '?');
  return out;
}

std::string Directive(std::string_view text) {
  // "script-src 'self'" in old reports: the name alone.
  const std::string name = Short(LowerAscii(text.substr(0, text.find(' '))), 64);
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && c != '-') return "unknown";
  }
  return name.empty() ? "unknown" : name;
}

// "https://host:port" of a URL; a bare keyword ("inline", "eval", "data") as it is.
std::string Origin(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return Short(url.substr(0, url.find(':')), 32);
  const std::size_t path = url.find_first_of("/?#", scheme + 3);
  return Short(url.substr(0, path), 128);
}

std::string Path(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  const std::size_t slash = url.find('/', scheme + 3);
  if (slash == std::string_view::npos) return "/";
  const std::string_view path = url.substr(slash);
  return Short(path.substr(0, path.find_first_of("?#")), 128);
}

std::string Disposition(std::string_view text) { return text == "report" ? "report" : "enforce"; }

// The same facts under the names of the two formats.
CspReport Read(const json::object& body, bool legacy) {
  CspReport report;
  const std::string_view directive = StringOf(body, legacy ? "effective-directive" : "effectiveDirective");
  report.directive = Directive(directive.empty() && legacy ? StringOf(body, "violated-directive") : directive);
  report.blocked = Origin(StringOf(body, legacy ? "blocked-uri" : "blockedURL"));
  report.page = Path(StringOf(body, legacy ? "document-uri" : "documentURL"));
  report.disposition = Disposition(StringOf(body, "disposition"));
  return report;
}
}  // namespace

Result<std::vector<CspReport>> ParseCspReports(std::string_view body) {
  ND_ASSIGN(const JsonDocument document, ParseJson(body));
  std::vector<CspReport> reports;
  if (const json::object* object = document.root().if_object()) {
    const json::value* report = object->if_contains("csp-report");
    if (report == nullptr || !report->is_object()) return InvalidInput("\"csp-report\" must be an object.");
    reports.push_back(Read(report->get_object(), true));
    return reports;
  }
  const json::array* items = document.root().if_array();
  if (items == nullptr) return InvalidInput("The body must be a CSP report or an array of reports.");
  for (const json::value& item : *items) {
    if (reports.size() == kMaxReports) break;
    if (!item.is_object()) return InvalidInput("Each report must be an object.");
    if (StringOf(item.get_object(), "type") != "csp-violation") continue;
    const json::value* inner = item.get_object().if_contains("body");
    if (inner == nullptr || !inner->is_object()) return InvalidInput("A report's \"body\" must be an object.");
    CspReport report = Read(inner->get_object(), false);
    if (std::find(reports.begin(), reports.end(), report) == reports.end()) reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace nd::server
