#include "server/model_request.h"

#include <gtest/gtest.h>

namespace nd::server {
namespace {

TEST(ReadModelRequest, FindsModelAndStreamWithoutTouchingTheRest) {
  const std::string body = R"({ "x":{"model":"inner"}, "n":1.50, "model" : "p/gpt" , "stream":true,"z":[1,{"model":2}]})";
  const auto request = ReadModelRequest(body);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->model, "p/gpt");
  EXPECT_TRUE(request->stream);
  EXPECT_EQ(WithModel(body, *request, "gpt"), R"({ "x":{"model":"inner"}, "n":1.50, "model" : "gpt" , "stream":true,"z":[1,{"model":2}]})");
}

TEST(ReadModelRequest, HandlesEscapesAroundTheModel) {
  const std::string body = R"({"a\"model":"\\","b":"}\"","model":"p\/x\u0041"})";
  const auto request = ReadModelRequest(body);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->model, "p/xA");
  EXPECT_EQ(WithModel(body, *request, "y\""), R"({"a\"model":"\\","b":"}\"","model":"y\""})");
}

TEST(ReadModelRequest, RefusesWhatItCannotPlace) {
  for (const char* body : {"[]", "{}", R"({"model":1})", R"({"model":""})", R"({"model":"a","stream":"yes"})", R"({"mod\u0065l":"a"})",
                           R"({"model":"a","model":"b"})"}) {
    EXPECT_FALSE(ReadModelRequest(body).ok()) << body;
  }
  EXPECT_TRUE(ReadModelRequest(R"({"model":"a","stream":null})").ok());
}

TEST(ReadModelRequest, LimitsHoldAtTheirEdges) {
  const auto with_model = [](std::size_t size) { return "{\"model\":\"" + std::string(size, 'm') + "\"}"; };
  EXPECT_TRUE(ReadModelRequest(with_model(255)).ok());
  EXPECT_TRUE(ReadModelRequest(with_model(256)).ok());
  EXPECT_FALSE(ReadModelRequest(with_model(257)).ok());
  const auto nested = [](std::size_t depth) {
    return "{\"model\":\"a\",\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(ReadModelRequest(nested(63)).ok());
  EXPECT_TRUE(ReadModelRequest(nested(64)).ok());
  EXPECT_FALSE(ReadModelRequest(nested(65)).ok());
}

TEST(StreamUsage, TakesTheLastCountsOfAStreamHoweverItIsCut) {
  const std::string stream =
      "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
      "data: {\"choices\":[]}\n\ndata: {\"usage\":{\"output_tokens\":33}}\n\ndata: [DONE]\n\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    StreamUsage usage;
    usage.Feed(std::string_view(stream).substr(0, cut));
    usage.Feed(std::string_view(stream).substr(cut));
    EXPECT_EQ(usage.usage().prompt_tokens, 9) << cut;
    EXPECT_EQ(usage.usage().completion_tokens, 33) << cut;
  }
}

TEST(StreamUsage, PassesOverLinesLongerThanItsLimit) {
  const auto line = [](std::size_t size) {
    const std::string head = "data: {\"usage\":{\"prompt_tokens\":5},\"x\":\"", tail = "\"}";
    return head + std::string(size - head.size() - tail.size(), 'x') + tail + "\n";
  };
  for (const auto& [size, seen] : {std::pair{StreamUsage::kMaxLine - 1, 5}, {StreamUsage::kMaxLine, 5}, {StreamUsage::kMaxLine + 1, 0}}) {
    StreamUsage usage;
    usage.Feed(line(size));
    EXPECT_EQ(usage.usage().prompt_tokens, seen) << size;
  }
}

}  // namespace
}  // namespace nd::server
