#include "server/csp.h"

#include <gtest/gtest.h>

#include "server/csp_report.h"
#include "server/page.h"

namespace nd::server {
namespace {

TEST(PagePolicy, HasNoInlineOrEvalExceptionAnywhere) {
  const std::string policy = PagePolicy("abc", "/api/csp-report");
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find('*'), std::string::npos);
  for (const char* part : {"default-src 'none'", "script-src 'nonce-abc' 'strict-dynamic'", "style-src 'self' 'nonce-abc'", "base-uri 'none'",
                           "frame-ancestors 'none'", "require-trusted-types-for 'script'", "report-uri /api/csp-report", "form-action 'self'"}) {
    EXPECT_NE(policy.find(part), std::string::npos) << part;
  }
}

TEST(SecurityHeaders, ModeDecidesWhichPolicyFieldsAreSent) {
  Config config;
  const auto fields = [&](CspMode mode) {
    config.csp_mode = mode;
    return SecurityHeaders(config).PolicyFields("n");
  };
  EXPECT_EQ(fields(CspMode::kEnforce).find("Report-Only"), std::string::npos);
  EXPECT_EQ(fields(CspMode::kReportOnly).find("Content-Security-Policy: "), std::string::npos);
  EXPECT_NE(fields(CspMode::kBoth).find("Content-Security-Policy: "), std::string::npos);
  EXPECT_NE(fields(CspMode::kBoth).find("Content-Security-Policy-Report-Only: "), std::string::npos);
}

TEST(SecurityHeaders, HstsOnlyWhereTlsIs) {
  Config config;
  EXPECT_EQ(SecurityHeaders(config).api().find("Strict-Transport-Security"), std::string::npos);
  config.trusted_proxies.push_back(*net::Network::Parse("127.0.0.1"));
  EXPECT_NE(SecurityHeaders(config).api().find("Strict-Transport-Security"), std::string::npos);
}

TEST(WelcomePage, HoldsNoScriptAndOneNonce) {
  for (const bool users : {false, true}) {
    const std::string page = WelcomePage("NONCE", users);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_EQ(page.find(" style="), std::string::npos);
    EXPECT_EQ(page.find("NONCE"), page.rfind("NONCE"));
  }
}

TEST(ParseCspReports, ReadsBothFormatsAndKeepsNoQuery) {
  const auto legacy = ParseCspReports(
      R"({"csp-report":{"document-uri":"https://d/x?token=secret","violated-directive":"script-src 'self'","blocked-uri":"https://evil.example/p?q"}})");
  ASSERT_TRUE(legacy.ok());
  EXPECT_EQ(legacy->at(0).directive, "script-src");
  EXPECT_EQ(legacy->at(0).blocked, "https://evil.example");
  EXPECT_EQ(legacy->at(0).page, "/x");
  const auto modern = ParseCspReports(
      R"([{"type":"deprecation","body":{}},{"type":"csp-violation","body":{"documentURL":"https://d/","effectiveDirective":"style-src-elem","blockedURL":"inline","disposition":"report"}}])");
  ASSERT_TRUE(modern.ok());
  ASSERT_EQ(modern->size(), 1u);
  EXPECT_EQ(modern->at(0).blocked, "inline");
  EXPECT_EQ(modern->at(0).disposition, "report");
}

TEST(ParseCspReports, ForgedTextCannotBreakOut) {
  const auto report = ParseCspReports(R"({"csp-report":{"effective-directive":"x\ny","blocked-uri":"a\u0000b","document-uri":"https://d/\u2028\n"}})");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->at(0).directive, "unknown");
  EXPECT_EQ(report->at(0).blocked, "a?b");
  EXPECT_FALSE(ParseCspReports("7").ok());
  EXPECT_FALSE(ParseCspReports(R"({"csp-report":7})").ok());
}

TEST(ParseCspReports, TakesARepetitionOnce) {
  const auto twice = ParseCspReports(R"([{"type":"csp-violation","body":{"blockedURL":"eval"}},{"type":"csp-violation","body":{"blockedURL":"eval"}}])");
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(twice->size(), 1u);
}

TEST(ParseCspReports, LooksAtABoundedNumber) {
  const auto batch = [](std::size_t count) {
    std::string body = "[";
    for (std::size_t i = 0; i < count; ++i) body += std::string(i == 0 ? "" : ",") + R"({"type":"csp-violation","body":{"effectiveDirective":")" + std::string(i + 1, 'x') + R"("}})";
    return body + "]";
  };
  EXPECT_EQ(ParseCspReports(batch(kMaxReports - 1))->size(), kMaxReports - 1);
  EXPECT_EQ(ParseCspReports(batch(kMaxReports))->size(), kMaxReports);
  EXPECT_EQ(ParseCspReports(batch(kMaxReports + 1))->size(), kMaxReports);
}

}  // namespace
}  // namespace nd::server
