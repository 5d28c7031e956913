#include "base/json.h"

#include <gtest/gtest.h>

namespace nd {
namespace {

TEST(ParseJson, RefusesWhatStrictnessForbids) {
  for (const char* text : {"", "{", "{\"a\":1,\"a\":2}", "{\"a\":1} x", "[1,]", "{\"a\":\"\xff\"}", "nul", "[01]", "\"\\ud800\""}) {
    EXPECT_FALSE(ParseJson(text).ok()) << text;
  }
  EXPECT_TRUE(ParseJson(" {\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]} \n").ok());
}

TEST(ParseJson, DepthIsAcceptedAtTheLimitAndRefusedAboveIt) {
  const auto nested = [](int depth) { return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']'); };
  EXPECT_TRUE(ParseJson(nested(31)).ok());
  EXPECT_TRUE(ParseJson(nested(32)).ok());
  EXPECT_FALSE(ParseJson(nested(33)).ok());
}

TEST(ParseJson, CountsValuesUpToTheLimit) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_TRUE(ParseJson("[1,2]", limits).ok());
  EXPECT_TRUE(ParseJson("[1,2,3]", limits).ok());
  EXPECT_FALSE(ParseJson("[1,2,3,4]", limits).ok());
}

TEST(ParseJson, MessagesNeverEchoTheInput) {
  const auto result = ParseJson("{\"hunter2\":1,\"hunter2\":2}");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().public_text.find("hunter2"), std::string::npos);
}

TEST(ObjectReader, TakesMembersAndRefusesStrangers) {
  const auto document = ParseJson(R"({"userId":"alice","n":3,"flag":true,"more":1})");
  ASSERT_TRUE(document.ok());
  ObjectReader reader(document->root());
  EXPECT_EQ(reader.String("userId", 1, 64), "alice");
  EXPECT_EQ(reader.Integer("n", 0, 3), 3);
  EXPECT_EQ(reader.OptionalBool("flag"), true);
  const auto finish = reader.Finish();
  ASSERT_FALSE(finish.ok());
  EXPECT_EQ(finish.error().public_text.find("more"), std::string::npos);
}

TEST(ObjectReader, NamesTheFirstMemberThatIsWrong) {
  const auto document = ParseJson(R"({"userId":7})");
  ObjectReader reader(document->root());
  reader.String("userId", 1, 64);
  reader.String("password", 1, 64);
  EXPECT_EQ(reader.Finish().error().public_text, "\"userId\" must be a string.");
}

TEST(ObjectReader, SizesAreHeldAtTheirEdges) {
  const auto document = ParseJson(R"({"a":"12","b":"123","c":"1234","d":"12345"})");
  for (const auto& [name, good] : {std::pair{"a", false}, {"b", true}, {"c", true}, {"d", false}}) {
    ObjectReader reader(document->root());
    for (const char* other : {"a", "b", "c", "d"}) {
      if (std::string_view(other) != name) reader.OptionalString(other, 0, 10);
    }
    reader.String(name, 3, 4);
    EXPECT_EQ(reader.Finish().ok(), good) << name;
  }
}

TEST(JsonWriter, EscapesWhateverCouldBreakALine) {
  std::string out;
  JsonWriter writer(out);
  writer.BeginObject().Member("a", "x\n\"\\\x7f\x01\xe2\x80\xa8\xff\xc3\xa9").Member("n", std::int64_t{-5}).Key("l").BeginArray().Null().Bool(true).EndArray().EndObject();
  EXPECT_EQ(out, "{\"a\":\"x\\n\\\"\\\\\\u007f\\u0001\\u2028\\ufffd\xc3\xa9\",\"n\":-5,\"l\":[null,true]}");
  EXPECT_TRUE(ParseJson(out).ok());
}

}  // namespace
}  // namespace nd
