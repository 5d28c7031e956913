#include "session/principal.h"

#include <gtest/gtest.h>

#include <chrono>

namespace nd::session {
namespace {

TEST(Roles, HaveNamesThatComeBack) {
  for (const Role role : {Role::kAdmin, Role::kOperator, Role::kViewer, Role::kAuditor}) {
    EXPECT_EQ(RoleFromName(RoleName(role)), role);
  }
  EXPECT_EQ(RoleName(Role::kAdmin), "admin");
  for (const char* name : {"", "Admin", "root", "admin "}) EXPECT_FALSE(RoleFromName(name)) << name;
}

TEST(Scopes, ComeBackAsTheyWereWritten) {
  for (const char* text : {"model:*", "model:openai/gpt-*", "read:docs/*", "write:a b", "command:git", "command:g++",
                           "mcp", "read:ä", "model:a:b"}) {
    const auto scope = Scope::Parse(text);
    ASSERT_TRUE(scope.ok()) << text;
    EXPECT_EQ(scope->Text(), text);
  }
}

TEST(Scopes, AreReadStrictly) {
  for (const char* text :
       {"",           "mcp:",        "mcp ",     "MCP",       "model",         "model:",          "Model:*",
        "read:",      "write:",      "command:", "command:*", "command:git *", "command:/bin/sh", "command:..",
        "command:-x", "command:a b", "delete:*", "*",         "read:a\nb",     "read:\xff",       "model:a\x7f"}) {
    EXPECT_FALSE(Scope::Parse(text).ok()) << text;
  }
}

TEST(Scopes, HaveTheirLengthLimits) {
  EXPECT_TRUE(Scope::Parse("read:" + std::string(255, 'a')).ok());
  EXPECT_TRUE(Scope::Parse("read:" + std::string(256, 'a')).ok());
  EXPECT_FALSE(Scope::Parse("read:" + std::string(257, 'a')).ok());
  EXPECT_TRUE(Scope::Parse("command:" + std::string(63, 'a')).ok());
  EXPECT_TRUE(Scope::Parse("command:" + std::string(64, 'a')).ok());
  EXPECT_FALSE(Scope::Parse("command:" + std::string(65, 'a')).ok());
}

bool Matches(std::string_view scope, Scope::Kind kind, std::string_view value) {
  return Scope::Parse(scope)->Matches(kind, value);
}

TEST(Scopes, MatchTheirKindAndWholePattern) {
  using enum Scope::Kind;
  EXPECT_TRUE(Matches("model:gpt-4", kModel, "gpt-4"));
  EXPECT_FALSE(Matches("model:gpt-4", kModel, "gpt-4o"));
  EXPECT_FALSE(Matches("model:gpt-4", kModel, "xgpt-4"));
  EXPECT_FALSE(Matches("model:gpt-4", kModel, "GPT-4"));
  EXPECT_FALSE(Matches("model:*", kRead, "a"));
  EXPECT_FALSE(Matches("read:*", kWrite, "a"));
  EXPECT_TRUE(Matches("mcp", kMcp, ""));
  EXPECT_FALSE(Matches("mcp", kModel, ""));
  EXPECT_TRUE(Matches("command:git", kCommand, "git"));
  EXPECT_FALSE(Matches("command:git", kCommand, "git-shell"));
}

TEST(Scopes, StarsStandForAnyRun) {
  using enum Scope::Kind;
  EXPECT_TRUE(Matches("read:*", kRead, ""));
  EXPECT_TRUE(Matches("read:docs/*", kRead, "docs/"));
  EXPECT_TRUE(Matches("read:docs/*", kRead, "docs/a/b.md"));
  EXPECT_FALSE(Matches("read:docs/*", kRead, "docs"));
  EXPECT_FALSE(Matches("read:docs/*", kRead, "docs-secret/a"));
  EXPECT_TRUE(Matches("read:*.md", kRead, "a/b.md"));
  EXPECT_FALSE(Matches("read:*.md", kRead, "a/b.md.exe"));
  EXPECT_TRUE(Matches("read:a*b*c", kRead, "aXbXbc"));
  EXPECT_FALSE(Matches("read:a*b*c", kRead, "acb"));
  EXPECT_TRUE(Matches("read:**a**", kRead, "xxa"));
}

// A pattern that takes exponential time for a matcher that tries every star anew.
TEST(Scopes, MatchHostilePatternsInBoundedTime) {
  std::string pattern = "read:";
  for (int i = 0; i < 120; ++i) pattern += "a*";
  pattern += "b";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Matches(pattern, Scope::Kind::kRead, std::string(4096, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

}  // namespace
}  // namespace nd::session
