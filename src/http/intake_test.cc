#include "http/intake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace nd::http {
namespace {

using Step = Intake::Step;

const Limits kLimits;

enum class Bodies { kAccept, kSkip };

// Feeds `input` in pieces of at most `piece` bytes and notes what comes out.
std::vector<std::string> Feed(Intake& intake, std::string_view input, std::size_t piece, std::size_t limit = 1 << 20,
                              Bodies bodies = Bodies::kAccept) {
  std::vector<std::string> seen;
  for (;;) {
    switch (intake.Advance()) {
      case Step::kNeedMore: {
        if (input.empty()) return seen;
        const std::span<char> room = intake.Room();
        const std::size_t take = std::min({piece, room.size(), input.size()});
        if (take == 0) {
          ADD_FAILURE() << "no room";
          return seen;
        }
        std::memcpy(room.data(), input.data(), take);
        intake.Received(take);
        input.remove_prefix(take);
        break;
      }
      case Step::kHead:
        bodies == Bodies::kAccept ? intake.AcceptBody(limit) : intake.SkipBody();
        break;
      case Step::kComplete:
        seen.push_back(std::string(intake.request().method_text) + " " + std::string(intake.request().target) + " " +
                       std::string(intake.request().body));
        intake.EndRequest();
        break;
      case Step::kRefused:
        seen.push_back("refused " + std::to_string(intake.refusal().status));
        return seen;
    }
  }
}

std::string Plain(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: deck\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string Chunked(const std::string& target, const std::string& body, std::size_t chunk) {
  std::string text = "POST " + target + " HTTP/1.1\r\nHost: deck\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    const std::string part = body.substr(at, chunk);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    text += size + part + "\r\n";
  }
  return text + "0\r\n\r\n";
}

const std::string kGet = "GET /g HTTP/1.1\r\nHost: deck\r\n\r\n";

TEST(Intake, SeesTheSameRequestsHoweverTheInputIsCut) {
  const std::string large(100'000, 'L');
  const std::string input = kGet + Plain("/a", "hello") + Chunked("/b", "chunked body", 5) + "\r\n" + kGet +
                            Plain("/c", large) + Chunked("/d", large, 7'000) + Plain("/e", "") + kGet;
  const std::vector<std::string> expected = {"GET /g ",  "POST /a hello",    "POST /b chunked body",
                                             "GET /g ",  "POST /c " + large, "POST /d " + large,
                                             "POST /e ", "GET /g "};
  for (const std::size_t piece : {1UL, 2UL, 3UL, 17UL, 1000UL, 4096UL, 40'000UL, 1'000'000UL}) {
    Intake intake(kLimits);
    EXPECT_EQ(Feed(intake, input, piece), expected) << piece;
    EXPECT_TRUE(intake.idle());
  }
}

TEST(Intake, SeesTheSameAtEveryCut) {
  const std::string input = Plain("/a", "hello") + Chunked("/b", "chunked body", 5) + kGet + "G ET";
  Intake whole_intake(kLimits);
  const auto whole = Feed(whole_intake, input, input.size());
  ASSERT_EQ(whole.size(), 3U);  // and an incomplete line
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    Intake intake(kLimits);
    auto seen = Feed(intake, input.substr(0, cut), cut);
    for (auto& request : Feed(intake, std::string_view(input).substr(cut), input.size())) seen.push_back(request);
    EXPECT_EQ(seen, whole) << cut;
  }
}

TEST(Intake, TakesManyPipelinedRequestsThroughOneBlock) {
  std::string input;
  for (int i = 0; i < 5'000; ++i) input += kGet;
  Intake intake(kLimits);
  EXPECT_EQ(Feed(intake, input, 1'000'000).size(), 5'000U);
}

TEST(Intake, RefusesAChunkedBodyThatGrowsBeyondItsLimit) {
  for (const auto& [limit, refused] : {std::pair{11UL, true}, std::pair{12UL, false}, std::pair{13UL, false}}) {
    Intake intake(kLimits);
    const auto seen = Feed(intake, Chunked("/b", "chunked body", 5), 7, limit);
    EXPECT_EQ(seen.front(), refused ? "refused 413" : "POST /b chunked body") << limit;
  }
}

TEST(Intake, DropsASkippedBodyAndGoesOn) {
  for (const std::size_t piece : {1UL, 10UL, 1'000'000UL}) {
    Intake intake(kLimits);
    const auto seen = Feed(intake, Plain("/a", std::string(50'000, 'x')) + kGet, piece, 0, Bodies::kSkip);
    EXPECT_EQ(seen, (std::vector<std::string>{"POST /a ", "GET /g "})) << piece;
  }
}

TEST(Intake, DrainsOnlyWhatIsSmallAndSure) {
  const auto can_drain = [](const std::string& input) {
    Intake intake(kLimits);
    const std::span<char> room = intake.Room();
    std::memcpy(room.data(), input.data(), input.size());
    intake.Received(input.size());
    EXPECT_EQ(intake.Advance(), Step::kHead);
    intake.SkipBody();
    return intake.CanDrain();
  };
  const auto head = [](const std::string& fields) { return "POST / HTTP/1.1\r\nHost: deck\r\n" + fields + "\r\n"; };
  EXPECT_TRUE(can_drain(kGet));
  EXPECT_TRUE(can_drain(head("Content-Length: " + std::to_string(kLimits.drain_bytes - 1) + "\r\n")));
  EXPECT_TRUE(can_drain(head("Content-Length: " + std::to_string(kLimits.drain_bytes) + "\r\n")));
  EXPECT_FALSE(can_drain(head("Content-Length: " + std::to_string(kLimits.drain_bytes + 1) + "\r\n")));
  EXPECT_FALSE(can_drain(head("Transfer-Encoding: chunked\r\n")));
  EXPECT_FALSE(can_drain(head("Content-Length: 5\r\nExpect: 100-continue\r\n")));
  EXPECT_TRUE(can_drain(head("Content-Length: 5\r\nExpect: 100-continue\r\n") + "h"));
}

TEST(Intake, WipesARequestWhenItEnds) {
  Intake intake(kLimits);
  const std::span<char> room = intake.Room();
  const std::string input = Plain("/a", "password");
  std::memcpy(room.data(), input.data(), input.size());
  intake.Received(input.size());
  ASSERT_EQ(intake.Advance(), Step::kHead);
  intake.AcceptBody(100);
  ASSERT_EQ(intake.Advance(), Step::kComplete);
  EXPECT_EQ(intake.request().body, "password");
  intake.EndRequest();
  EXPECT_EQ(std::string_view(room.data(), input.size()), std::string(input.size(), '\0'));
}

TEST(Intake, CanBeUsedAgainAfterARefusalWasCleared) {
  Intake intake(kLimits);
  EXPECT_EQ(Feed(intake, "GET / HTTP/1.0\r\n", 100).front(), "refused 505");
  intake.Clear();
  EXPECT_EQ(Feed(intake, kGet, 100).front(), "GET /g ");
}

}  // namespace
}  // namespace nd::http
