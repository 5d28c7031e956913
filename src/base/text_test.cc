#include "base/text.h"

#include <gtest/gtest.h>

#include <utility>

namespace nd {
namespace {

// RFC 4648, section 10. The RFC prints padding; ours has none.
constexpr std::pair<const char*, const char*> kRfc4648[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};

TEST(Base64Url, AgreesWithRfc4648) {
  for (const auto& [bytes, text] : kRfc4648) {
    EXPECT_EQ(EncodeBase64Url(bytes), text);
    EXPECT_EQ(DecodeBase64Url(text), bytes);
  }
}

TEST(Base64Url, UsesTheUrlAlphabet) {
  EXPECT_EQ(EncodeBase64Url("\xfb\xff\xbf"), "-_-_");
  EXPECT_EQ(DecodeBase64Url("-_-_"), "\xfb\xff\xbf");
  EXPECT_EQ(DecodeBase64Url("+/+/"), std::nullopt);
}

TEST(Base64Url, RefusesPaddingSpaceAndForeignCharacters) {
  for (const char* text : {"Zg==", "Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v.", "Zm\xc3\xa9", "A", "AAAAA"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64Url(std::string_view("Zm9\0", 4)), std::nullopt);
}

TEST(Base64Url, RefusesUnusedBitsThatAreNotZero) {
  EXPECT_TRUE(DecodeBase64Url("Zg"));
  for (const char* text : {"Zh", "Zv", "Zm9", "Zm-"}) EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
}

TEST(Base64Url, EveryByteSurvivesAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t before = 0; before < 3; ++before) {
      const std::string bytes = std::string(before, 'x') + static_cast<char>(byte);
      EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes) << byte;
    }
  }
}

TEST(Base64Url, OneTextPerValue) {
  // Every two-character text either is refused or comes back as itself: no second spelling of a token.
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      const auto bytes = DecodeBase64Url(text);
      EXPECT_TRUE(!bytes || EncodeBase64Url(*bytes) == text) << EncodeHex(text);
    }
  }
}

TEST(Hex, ReadsBothCasesAndWritesLower) {
  EXPECT_EQ(EncodeHex(std::string_view("\x00\x0f\xff", 3)), "000fff");
  EXPECT_EQ(DecodeHex("000fFF"), std::string("\x00\x0f\xff", 3));
  EXPECT_EQ(DecodeHex(""), "");
  for (const char* text : {"0", "0g", " 00", "0x", "00\n"}) EXPECT_EQ(DecodeHex(text), std::nullopt) << text;
}

TEST(Utf8, AcceptsTheEdgesOfEachLength) {
  for (const char* text : {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << EncodeHex(text);
  }
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesOverlongSurrogateCutAndLoneBytes) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                           "\xf0\x90\x80", "\xff", "\xfe", "a\xc3"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << EncodeHex(text);
  }
}

TEST(ControlCharacters, AreThoseBelowSpaceAndDelete) {
  EXPECT_FALSE(HasControlCharacter(" ~\x80\xff"));
  for (const std::string& text : {std::string(1, '\0'), std::string("a\n"), std::string("\x1f"), std::string("\x7f")}) {
    EXPECT_TRUE(HasControlCharacter(text)) << EncodeHex(text);
  }
}

TEST(Names, AreLettersDigitsDotsDashesUnderscoresUpToTheLimit) {
  for (const char* name : {"a", "Z9", "_x", "a.b-c_d"}) EXPECT_TRUE(IsName(name, 64)) << name;
  for (const char* name : {"", ".a", "-a", "a/b", "a b", "\xc3\xa9", "a\n", ".."})
    EXPECT_FALSE(IsName(name, 64)) << name;
  EXPECT_TRUE(IsName(std::string(7, 'a'), 8));
  EXPECT_TRUE(IsName(std::string(8, 'a'), 8));
  EXPECT_FALSE(IsName(std::string(9, 'a'), 8));
}

TEST(Ascii, CaseAndSpaceAreAsciiOnly) {
  EXPECT_TRUE(EqualIgnoreCase("Content-Type", "content-tYPE"));
  EXPECT_FALSE(EqualIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualIgnoreCase("[", "{"));
  EXPECT_EQ(LowerAscii("A[Z\xc3\x89"), "a[z\xc3\x89");
  EXPECT_EQ(TrimSpace(" \ta b\t "), "a b");
  EXPECT_EQ(TrimSpace(" \t"), "");
  EXPECT_EQ(TrimSpace("\na"), "\na");
}

}  // namespace
}  // namespace nd
