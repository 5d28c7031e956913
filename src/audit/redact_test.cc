#include "audit/redact.h"

#include <gtest/gtest.h>

#include <chrono>

namespace nd::audit {
namespace {

struct Case {
  std::string_view in;
  std::string_view out;
};

TEST(Redact, ReplacesWhatIsShapedLikeACredential) {
  for (const Case& c : {
           Case{"sk-ant-api03-abcDEF", "[redacted]"},
           Case{"key sk-proj-AbCd1234efgh, then", "key [redacted], then"},
           Case{"sk-0123456789abcdef", "[redacted]"},
           Case{"gluedsk-ant-api03-abcDEF", "glued[redacted]"},
           Case{"sk-ant-api03-abc-eyJhbGciOi.eyJzdWIi.c2ln", "[redacted]"},
           Case{"https://sk-ant-api03-abc:x@host", "https://[redacted]:[redacted]@host"},
           Case{"gsk_0123456789abcdef", "[redacted]"},
           Case{"nda_0123456789_secret", "[redacted]"},
           Case{"ndr_abcdefgh", "[redacted]"},
           Case{"AKIAIOSFODNN7EXAMPLE", "[redacted]"},
           Case{"AIzaSyA-1234567890abcdefghij", "[redacted]"},
           Case{"ghp_0123456789abcdef", "[redacted]"},
           Case{"gho_0123456789abcdef", "[redacted]"},
           Case{"github_pat_0123456789abcdef", "[redacted]"},
           Case{"xoxb-1234-5678", "[redacted]"},
           Case{"id:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln!", "id:[redacted]!"},
           Case{"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "[redacted]"},
           Case{"Authorization: Bearer abc123def", "Authorization: Bearer [redacted]"},
           Case{"bearer  abcdefghijklmnopqrstuvwx", "bearer  [redacted]"},
           Case{"/x?access_token=hello&y=1", "/x?access_token=[redacted]&y=1"},
           Case{"--password=hunter2 -v", "--password=[redacted] -v"},
           Case{"API-KEY=a", "API-KEY=[redacted]"},
           Case{"https://bob:pw@host/x", "https://bob:[redacted]@host/x"},
           Case{"a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a -----BEGIN[redacted] b"},
           Case{"-----BEGIN PRIVATE KEY-----\nMII", "-----BEGIN[redacted]"},
           Case{"0123456789abcdef0123456789abcdef", "[redacted]"},
           Case{"dir/3q2VvB7xK0pLmN8rTzYwS5uHgJfEdCbA/file.txt", "dir/[redacted]/file.txt"},
           Case{"aws wJalr4UtnF9MI/K7MDENG0bPxRfiC3Y5xAmP1eKeY", "aws [redacted]"},
       }) {
    EXPECT_EQ(Redact(c.in), c.out) << c.in;
    EXPECT_EQ(Redact(c.out), c.out) << "again: " << c.out;
  }
}

TEST(Redact, LeavesOrdinaryTextAlone) {
  for (const std::string_view text : {
           "", "openai", "alice", "claude-sonnet-4-5-20250929", "accounts/fireworks/models/llama-v3p1-405b-instruct",
           "src/audit/log_failure_test.cc", "/home/alice/projects/neural-deck/web/src/features/audit/Timeline.tsx",
           "a-very-long-file-name-with-many-words-and-the-date-2026-11-24-report.md",
           "risk-assessment-of-everything-we-do", "sk-learn-pipeline", "the bearer of good news", "Basic instructions",
           "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
           "01JDEXAMPLE000000000000000", "k3VxNq0000000000a", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
           "https://api.example.com:8443/v1/messages?limit=100&user=bob", "mail bob@example.com", "2026-11-24T08:00:00.123456Z",
           "12345678901234567890123456789012345678901234567890", "--flag=value", "eyJ.x.y", "-----BEGIN CERTIFICATE-----",
           "Ünïcödé and 漢字 stay", "sensitive_update", "git log --max-count=20 --format=%H", "======================================",
           "TheGetUserByIdAndSetNewTokenForAllOfThem", "Report-2024-11-24-Final-Version-v2-Build-1234",
           "tests/conformance/engine-io-v4/polling/HandshakeAndUpgrade.spec.ts", "nda_short", "agenda_of_the_meeting", "AKIA",
       }) {
    EXPECT_EQ(Redact(text), text);
  }
}

TEST(Redact, TheShortestRunIsThirtyTwoCharacters) {
  EXPECT_EQ(Redact("0123456789abcdef0123456789abcde"), "0123456789abcdef0123456789abcde");
  EXPECT_EQ(Redact("0123456789abcdef0123456789abcdef"), "[redacted]");
  EXPECT_EQ(Redact("0123456789abcdef0123456789abcdef0"), "[redacted]");
}

TEST(Redact, TakesAnyBytes) {
  EXPECT_EQ(Redact(std::string_view("\0\xff\xfe\n", 4)), std::string_view("\0\xff\xfe\n", 4));
}

TEST(Redact, TimeGrowsWithTheSizeOnly) {
  // Each of these would be quadratic in a naive scan: at this size it would not end.
  for (const std::string_view piece : {"sk-", "eyJaaaaa.", "bearer ", "-----BEGIN ", "://", "token=", "a/", "://a:"}) {
    std::string text;
    while (text.size() < 500'000) text += piece;
    EXPECT_LE(Redact(text).size(), text.size() * 11) << piece;
  }
}

TEST(IsSha256Hex, TakesExactlySixtyFourLowerCaseDigits) {
  EXPECT_TRUE(IsSha256Hex(std::string(64, 'a')));
  EXPECT_FALSE(IsSha256Hex(std::string(63, 'a')));
  EXPECT_FALSE(IsSha256Hex(std::string(65, 'a')));
  EXPECT_FALSE(IsSha256Hex(std::string(64, 'A')));
  EXPECT_FALSE(IsSha256Hex(std::string(63, 'a') + "g"));
}

}  // namespace
}  // namespace nd::audit
