#include "server/csp.h"

namespace nd::server {

namespace {
std::string CommonFields(const Config& config) {
  std::string fields =
      "X-Content-Type-Options: nosniff\r\n"
      "X-Frame-Options: DENY\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "Permissions-Policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
      "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()\r\n"
      "Cross-Origin-Opener-Policy: same-origin\r\n"
      "Cross-Origin-Embedder-Policy: require-corp\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n"
      // The auditor of old browsers made holes of its own; 0 is what today's guidance asks for.
      "X-XSS-Protection: 0\r\n"
      "Cache-Control: no-store\r\n";
  if (config.tls || !config.trusted_proxies.empty()) {
    fields += "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n";
  }
  return fields;
}
}  // namespace

std::string PagePolicy(std::string_view nonce, std::string_view report_uri) {
  const std::string n(nonce);
  std::string policy = "default-src 'none'; script-src 'nonce-" + n + "' 'strict-dynamic'; style-src 'self' 'nonce-" + n +
                       "'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; worker-src 'self'; "
                       "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
                       "require-trusted-types-for 'script'; trusted-types neuraldeck";
  if (!report_uri.empty()) policy.append("; report-uri ").append(report_uri).append("; report-to csp");
  return policy;
}

std::string ApiPolicy() { return "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"; }

SecurityHeaders::SecurityHeaders(const Config& config)
    : mode_(config.csp_mode),
      report_uri_(config.csp_report_uri),
      api_(CommonFields(config) + "Content-Security-Policy: " + ApiPolicy() + "\r\n"),
      page_(CommonFields(config)) {}

std::string SecurityHeaders::PolicyFields(std::string_view nonce) const {
  const std::string policy = PagePolicy(nonce, report_uri_);
  std::string fields;
  if (mode_ != CspMode::kReportOnly) fields.append("Content-Security-Policy: ").append(policy).append("\r\n");
  // In mode "both" the enforced policy is also the candidate until a second one is configured.
  if (mode_ != CspMode::kEnforce) {
    fields.append("Content-Security-Policy-Report-Only: ").append(policy).append("\r\n");
  }
  if (!report_uri_.empty()) fields.append("Reporting-Endpoints: csp=\"").append(report_uri_).append("\"\r\n");
  return fields;
}

}  // namespace nd::server
