#include "audit/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/log_test_fixture.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace nd::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string LineOf(const Record& record) {
  std::string line;
  AppendLine(line, At(2026, 11, 24, std::chrono::hours(8)), 42, RenderBody(record).json, kFirstPrev);
  return line;
}

// What holds of every line, whatever the record.
void ExpectOneCleanLine(const std::string& line) {
  EXPECT_LE(line.size(), kMaxLine);
  ASSERT_TRUE(line.ends_with('\n'));
  EXPECT_FALSE(HasControlCharacter(std::string_view(line).substr(0, line.size() - 1)));
  EXPECT_TRUE(IsValidUtf8(line));
  EXPECT_TRUE(ParseLine(line).has_value());
}

TEST(Record, HasTheMembersInTheirOrder) {
  Record record = SomeRecord();
  record.request_id = "01J";
  EXPECT_EQ(LineOf(record),
            "{\"ts\":\"2026-11-24T08:00:00.000000Z\",\"seq\":42,\"event\":\"API_KEY_OPERATION\",\"vocab\":\"sensitive_update\","
            "\"actor\":{\"kind\":\"user\",\"id\":\"alice\",\"for\":null},\"session\":\"k3VxNq0000000000a\",\"addr\":\"127.0.0.1\","
            "\"req\":\"01J\",\"action\":\"update\",\"target\":\"openai\",\"phase\":\"outcome\",\"outcome\":\"success\","
            "\"reason\":null,\"data\":{\"scope\":\"global\",\"keyVersion\":2},\"prev\":\"" +
                std::string(64, '0') + "\"}\n");
}

TEST(Record, WritesAnAgentAnIntentAndAReason) {
  Record record = SomeRecord();
  record.actor = {ActorKind::kAgent, "a1", "alice"};
  record.phase = Phase::kIntent;
  record.outcome = Outcome::kUnknown;
  record.reason = "policy";
  record.session.clear();
  const std::string line = LineOf(record);
  EXPECT_THAT(line, HasSubstr("\"actor\":{\"kind\":\"agent\",\"id\":\"a1\",\"for\":\"alice\"},\"session\":null"));
  EXPECT_THAT(line, HasSubstr("\"phase\":\"intent\",\"outcome\":\"unknown\",\"reason\":\"policy\""));
}

TEST(Record, NoTextCanBreakOrForgeALine) {
  static constexpr char kBad[] = "a\n\r\t\"\\\0\x01\x1f\x7f \xff\xfe\xc0\x80 \xed\xa0\x80 \xe2\x80\xa8 }\n{\"seq\":1}\n";
  const std::string bad(kBad, sizeof kBad - 1);
  const auto members = [](Record& r) {
    return std::vector<std::string*>{&r.actor.id, &r.session, &r.address, &r.request_id, &r.target};
  };
  for (std::size_t i = 0; i < 5; ++i) {
    Record record = SomeRecord();
    *members(record)[i] = bad;
    ExpectOneCleanLine(LineOf(record));
  }
  Record record = SomeRecord();
  record.actor.on_behalf_of = bad;
  record.reason = bad;
  record.event = Event::kCommandExec;
  record.data = {{"argv", std::vector<std::string>{bad, bad}}, {"class", bad}};
  ExpectOneCleanLine(LineOf(record));
}

TEST(Record, DropsAndCountsWhatTheSchemaDoesNotName) {
  Record record = SomeRecord();
  record.data = {{"apiKey", std::string("hunter2")},
                 {"label", std::string("first")},
                 {"label", std::string("second")},
                 {"", true}};
  const Body body = RenderBody(record);
  EXPECT_EQ(body.dropped_members, 3U);
  EXPECT_THAT(body.json, HasSubstr("\"data\":{\"label\":\"first\"}"));
  EXPECT_THAT(body.json, Not(HasSubstr("hunter2")));
}

TEST(Record, RedactsEveryMemberThatComesFromOutside) {
  const std::string canary = "sk-ant-canary0123456789";
  Record record = SomeRecord(canary);
  record.actor = {ActorKind::kAnonymous, canary, canary};
  record.session = record.address = record.request_id = canary;
  record.reason = canary;
  record.event = Event::kCommandExec;
  record.data = {{"argv", std::vector<std::string>{"curl", canary}}, {"class", canary}, {"outputHash", canary}};
  const std::string line = LineOf(record);
  EXPECT_THAT(line, Not(HasSubstr("canary")));
  ExpectOneCleanLine(line);
}

TEST(Record, KeepsHashesInHashMembersOnly) {
  const std::string hash(EncodeHex(Sha256("x")));
  Record record = SomeRecord();
  record.event = Event::kFileWrite;
  record.data = {{"path", hash}, {"hashAfter", hash}};
  EXPECT_THAT(LineOf(record), HasSubstr("\"data\":{\"path\":\"[redacted]\",\"hashAfter\":\"" + hash + "\"}"));
}

TEST(Record, CutsLongTextBetweenCharactersAndSaysHowMuch) {
  const auto with_target = [](std::size_t size) { return LineOf(SomeRecord(std::string(size, 'x'))); };
  EXPECT_THAT(with_target(16'383), Not(HasSubstr("[cut")));
  EXPECT_THAT(with_target(16'384), Not(HasSubstr("[cut")));
  EXPECT_THAT(with_target(16'385), HasSubstr("x…[cut 1]\""));
  // A character of three bytes over the limit goes as a whole.
  EXPECT_THAT(LineOf(SomeRecord(std::string(16'383, 'x') + "漢")), HasSubstr("x…[cut 3]\""));
}

TEST(Record, NoLineIsLongerThanTheLimitHoweverMuchIsGivenAndEscaped) {
  for (const std::size_t size : {5'000U, 50'000U}) {
    for (const char c : {'x', '\x01', '\xff', '"', '\xe2'}) {
      Record record = SomeRecord(std::string(size, c));
      record.actor = {ActorKind::kAnonymous, std::string(size, c), std::string(size, c)};
      record.session = record.address = record.request_id = std::string(size, c);
      record.reason = std::string(size, c);
      record.event = Event::kModelCall;
      for (const std::string_view name : SchemaOf(Event::kModelCall)) record.data.emplace_back(name, std::string(size, c));
      ExpectOneCleanLine(LineOf(record));
      record.event = Event::kCommandExec;
      record.data = {{"argv", std::vector<std::string>(size, std::string(1, c))}};
      ExpectOneCleanLine(LineOf(record));
      record.data = {{"argv", std::vector<std::string>(size)}};
      ExpectOneCleanLine(LineOf(record));
      record.data = {{"argv", std::vector<std::string>(3, std::string(size, c))}};
      ExpectOneCleanLine(LineOf(record));
    }
  }
}

TEST(Record, ASecretOnTheEdgeOfACutDoesNotLeakItsHalf) {
  for (std::size_t before = 16'384 - 40; before <= 16'384; ++before) {
    const std::string line = LineOf(SomeRecord(std::string(before, ' ') + "sk-ant-canary0123456789"));
    EXPECT_THAT(line, Not(HasSubstr("sk-ant")));
  }
}

TEST(ParseLine, AcceptsOnlyARecord) {
  const std::string line = LineOf(SomeRecord());
  ASSERT_TRUE(ParseLine(line).has_value());
  EXPECT_EQ(ParseLine(line)->sequence, 42U);
  EXPECT_EQ(ParseLine(line)->prev, kFirstPrev);
  const auto edited = [&](std::string_view from, std::string_view to) {
    std::string text = line;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string(), std::string("\n"), line.substr(0, line.size() - 1), line.substr(1), line + "\n", " " + line,
        edited("\"seq\":42", "\"seq\":0"), edited("\"seq\":42", "\"seq\":-1"), edited("\"seq\":42", "\"seq\":\"42\""),
        edited("\"seq\":42", "\"seq\":18446744073709551616"), edited("\"req\"", "\"rex\""), edited("00\"}", "0\"}"),
        edited("\"seq\":42,", ""), edited("alice", "al\nice"), edited("\"ts\"", "\"ts\":\"x\",\"ts\""),
        edited("alice", std::string(kMaxLine, 'x'))}) {
    EXPECT_FALSE(ParseLine(bad).has_value()) << bad;
  }
  EXPECT_TRUE(ParseLine(edited("\"seq\":42", "\"seq\":18446744073709551615")).has_value());
}

// The documents and the code say the same.

std::string ReadDocument(const std::string& path) {
  std::ifstream file(std::string(ND_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FormatDocument, ItsWorkedExampleIsAChainOfRecords) {
  const std::string text = ReadDocument("docs/formats/audit-log.md");
  std::string prev(kFirstPrev);
  int examples = 0;
  for (std::size_t begin = 0; (begin = text.find("\n{\"ts\"", begin)) != std::string::npos; ++examples) {
    ++begin;
    const std::string line = text.substr(begin, text.find('\n', begin) + 1 - begin);
    const auto head = ParseLine(line);
    ASSERT_TRUE(head.has_value()) << line;
    EXPECT_EQ(head->prev, prev);
    prev = HashLine(line);
  }
  EXPECT_EQ(examples, 2);
}

TEST(EventDocument, NamesEveryEventWithExactlyItsMembers) {
  const std::string text = ReadDocument("docs/protocol/audit-events.md");
  for (int i = 0; i < static_cast<int>(Event::kCount); ++i) {
    const auto event = static_cast<Event>(i);
    std::string row = "| `" + std::string(EventName(event)) + "` |";
    const std::size_t begin = text.find(row);
    ASSERT_NE(begin, std::string::npos) << row;
    const std::string line = text.substr(begin, text.find('\n', begin) - begin);
    std::string members;
    for (const std::string_view name : SchemaOf(event)) members += (members.empty() ? "`" : ", `") + std::string(name) + "`";
    EXPECT_TRUE(line.ends_with("| " + members + " |")) << line << "\nwanted: " << members;
  }
}

TEST(Event, NamesGoBothWays) {
  for (int i = 0; i < static_cast<int>(Event::kCount); ++i) {
    const auto event = static_cast<Event>(i);
    EXPECT_EQ(EventFromName(EventName(event)), event);
  }
  EXPECT_EQ(EventFromName("api_key_operation"), std::nullopt);
  EXPECT_EQ(EventFromName(""), std::nullopt);
}

}  // namespace
}  // namespace nd::audit
