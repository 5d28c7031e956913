#include "keeper/scrubber.h"

#include <gtest/gtest.h>

namespace nd::keeper {
namespace {

constexpr std::string_view kKey = "sk-test/4Zq9&7+\"x1";

std::string Scrub(std::string_view key, std::string_view text) {
  Scrubber scrubber{Secret(key)};
  return scrubber.Whole(text);
}

// The same text cut in two at every place, and byte by byte.
std::string ScrubCut(std::string_view key, std::string_view text, std::size_t cut) {
  Scrubber scrubber{Secret(key)};
  std::string out;
  scrubber.Push(text.substr(0, cut), out);
  scrubber.Push(text.substr(cut), out);
  scrubber.Finish(out);
  return out;
}

TEST(Scrubber, LeavesOtherTextAlone) {
  EXPECT_EQ(Scrub(kKey, ""), "");
  EXPECT_EQ(Scrub(kKey, "data: {\"text\":\"sk-test is not it\"}\n\n"), "data: {\"text\":\"sk-test is not it\"}\n\n");
}

TEST(Scrubber, TakesTheKeyOut) {
  EXPECT_EQ(Scrub(kKey, "key " + std::string(kKey) + "."), "key [redacted].");
  EXPECT_EQ(Scrub(kKey, std::string(kKey) + std::string(kKey)), "[redacted][redacted]");
}

TEST(Scrubber, KnowsTheFormsThatProgramsGiveAKey) {
  EXPECT_EQ(Scrub(kKey, R"("sk-test/4Zq9&7+\"x1")"), "\"[redacted]\"");
  EXPECT_EQ(Scrub(kKey, R"("sk-test\/4Zq9&7+\"x1")"), "\"[redacted]\"");
  EXPECT_EQ(Scrub(kKey, R"("sk-test/4Zq9\u00267+\"x1")"), "\"[redacted]\"");
  EXPECT_EQ(Scrub(kKey, "sk-test%2F4Zq9%267%2B%22x1"), "[redacted]");
  EXPECT_EQ(Scrub(kKey, "sk-test%2f4Zq9%267%2b%22x1"), "[redacted]");
  EXPECT_EQ(Scrub(kKey,
                  "736b2d746573742f345a71392637"
                  "2b227831"),
            "[redacted]");
}

TEST(Scrubber, KnowsBase64AtEveryOffset) {
  // "sk-abcdefgh" alone, after one byte, after two, as Basic credentials have it.
  const std::string_view key = "sk-abcdefgh";
  EXPECT_EQ(Scrub(key, "c2stYWJjZGVmZ2g="), "[redacted]g=");
  EXPECT_EQ(Scrub(key, "OnNrLWFiY2RlZmdo"), "On[redacted]");
  EXPECT_EQ(Scrub(key, "eDpzay1hYmNkZWZnaA=="), "eDp[redacted]A==");
}

TEST(Scrubber, FindsAKeyThatBeginsInsideItsOwnBeginning) {
  EXPECT_EQ(Scrub("aabaabaac", "aabaabaabaac"), "aab[redacted]");
  EXPECT_EQ(Scrub("aaaaaaaa", std::string(17, 'a')), "[redacted][redacted]a");
}

TEST(Scrubber, GivesTheSameOutputHoweverTheInputIsCut) {
  const std::string text = "x" + std::string(kKey) + "y" + std::string(kKey.substr(0, 9)) + std::string(kKey) +
                           " sk-test%2F4Zq9%267%2B%22x1 c2stdGVzdC8=" + std::string(kKey.substr(0, 5));
  const std::string whole = Scrub(kKey, text);
  EXPECT_EQ(whole.find(kKey), std::string::npos);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) EXPECT_EQ(ScrubCut(kKey, text, cut), whole) << cut;
  Scrubber scrubber{Secret(kKey)};
  std::string out;
  for (const char& c : text) scrubber.Push({&c, 1}, out);
  scrubber.Finish(out);
  EXPECT_EQ(out, whole);
}

TEST(Scrubber, HoldsBackOnlyWhatMayBecomeAKey) {
  Scrubber scrubber{Secret(kKey)};
  std::string out;
  scrubber.Push("hello s", out);
  EXPECT_EQ(out, "hello ");
  scrubber.Push("o", out);
  EXPECT_EQ(out, "hello so");
  scrubber.Push("sk-test", out);
  EXPECT_EQ(out, "hello so");
  scrubber.Push("ing", out);
  EXPECT_EQ(out, "hello sosk-testing");
}

TEST(Scrubber, PutsInNothingThatCouldBecomeAKey) {
  // What stands around the key would complete another one with the usual replacement.
  const std::string_view tricky = "ab[redacted]cd";
  EXPECT_EQ(Scrub(tricky, "ab" + std::string(tricky) + "cd").find(tricky), std::string::npos);
  EXPECT_EQ(Scrub("redacted", "a redacted text").find("redacted"), std::string::npos);
}

TEST(Scrubber, IsLinearOnRepetition) {
  // Quadratic behaviour would need minutes for this.
  const std::string key = std::string(4095, 'a') + "b";
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(Scrub(key, text), text);
}

TEST(Scrubber, KnowsWhatCanBeAKey) {
  EXPECT_FALSE(IsUsableKey(std::string(7, 'k')));
  EXPECT_TRUE(IsUsableKey(std::string(8, 'k')));
  EXPECT_TRUE(IsUsableKey(std::string(4096, 'k')));
  EXPECT_FALSE(IsUsableKey(std::string(4097, 'k')));
  EXPECT_TRUE(IsUsableKey("!~!~!~!~"));
  for (const std::string_view bad : {"with space", "line\r\nbreak", "tab\tbed..", "h\xc3\xb6her...", "del\x7f....."}) {
    EXPECT_FALSE(IsUsableKey(bad)) << bad;
  }
}

}  // namespace
}  // namespace nd::keeper
