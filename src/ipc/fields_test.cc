#include "ipc/fields.h"

#include <gtest/gtest.h>

namespace nd::ipc {
namespace {

TEST(Fields, ComeBackAsTheyWereWritten) {
  Bytes bytes;
  FieldWriter(bytes).U8(1).U16(0x1234).U32(0xfffffffe).U64(~0ULL - 1).I64(-5).Bool(true).Text("käse").Text("");
  FieldReader reader(View(bytes));
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 0x1234);
  EXPECT_EQ(reader.U32(), 0xfffffffeU);
  EXPECT_EQ(reader.U64(), ~0ULL - 1);
  EXPECT_EQ(reader.I64(), -5);
  EXPECT_TRUE(reader.Bool());
  EXPECT_EQ(reader.Text(5), "käse");
  EXPECT_EQ(reader.Text(0), "");
  EXPECT_TRUE(reader.Finish().ok());
}

TEST(Fields, AreLittleEndianOnTheWire) {
  Bytes bytes;
  FieldWriter(bytes).U32(0x04030201).Text("ab");
  EXPECT_EQ(View(bytes), std::string_view("\1\2\3\4\2\0\0\0ab", 10));
}

TEST(Fields, RefuseWhatIsLeftOver) {
  FieldReader reader(std::string_view("\1\2", 2));
  reader.U8();
  EXPECT_EQ(reader.Finish().error().kind, ErrorKind::kInvalidInput);
}

TEST(Fields, RefuseATextLongerThanItsLimitByOne) {
  Bytes bytes;
  FieldWriter(bytes).Text("abcd");
  EXPECT_EQ(FieldReader(View(bytes)).Text(4), "abcd");
  EXPECT_EQ(FieldReader(View(bytes)).Text(5), "abcd");
  FieldReader reader(View(bytes));
  EXPECT_EQ(reader.Text(3), "");
  EXPECT_TRUE(reader.failed());
}

TEST(Fields, RefuseATextLongerThanThePayload) {
  FieldReader reader(
      std::string_view("\xff\xff\xff\xff"
                       "abc",
                       7));
  EXPECT_EQ(reader.Text(1 << 30), "");
  EXPECT_FALSE(reader.Finish().ok());
}

TEST(Fields, RefuseNumbersOutOfBounds) {
  EXPECT_EQ(FieldReader(std::string_view("\3\0\0\0", 4)).Count(3), 3U);
  FieldReader many(std::string_view("\4\0\0\0", 4));
  EXPECT_EQ(many.Count(3), 0U);
  EXPECT_TRUE(many.failed());
  FieldReader choice(std::string_view("\2", 1));
  EXPECT_FALSE(choice.Bool());
  EXPECT_TRUE(choice.failed());
}

TEST(Fields, StayFailed) {
  FieldReader reader(std::string_view("\1\2\3", 3));
  reader.U32();
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_EQ(reader.Rest(), "");
  EXPECT_FALSE(reader.Finish().ok());
}

}  // namespace
}  // namespace nd::ipc
