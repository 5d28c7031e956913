#include "vault/vault_file.h"

#include <gtest/gtest.h>

namespace nd::vault {
namespace {

SealedRecord MakeRecord(std::string name, std::string owner = "", std::string body = "ciphertext") {
  SealedRecord record;
  record.id = {RecordKind::kProviderKey, std::move(name), std::move(owner)};
  record.label = "a label";
  record.created_at = record.updated_at = WallTime(std::chrono::seconds(1));
  record.key_nonce = std::string(12, 'a');
  record.wrapped_key = std::string(48, 'b');
  record.nonce = std::string(12, 'c');
  record.tag = std::string(16, 'd');
  record.body = std::move(body);
  return record;
}

std::string Print(const std::vector<SealedRecord>& records) {
  FileHeader header;
  header.vault_id = std::string(16, 'v');
  header.root_key_id = std::string(8, 'r');
  header.generation = 7;
  std::vector<const SealedRecord*> pointers;
  for (const SealedRecord& record : records) pointers.push_back(&record);
  const PrintedFile printed = PrintFile(header, pointers);
  return printed.sealed_part + std::string(kSealSize, 'S') + printed.bodies;
}

// Both steps, without a seal in between.
Result<std::vector<SealedRecord>> Parse(std::string_view bytes) {
  ND_ASSIGN(const FileHeader header, ParseHeader(bytes));
  return ParseRecords(bytes, header);
}

// What is wrong with a file of one record like this, or "".
std::string Complaint(const SealedRecord& record) {
  const auto parsed = Parse(Print({record}));
  return parsed.ok() ? "" : parsed.error().detail;
}

TEST(VaultFile, GivesBackWhatWasPrinted) {
  SealedRecord used = MakeRecord("b", "alice", "x");
  used.last_used_at = WallTime(std::chrono::microseconds(123));
  used.version = 0x0102030405060708;
  const std::string bytes = Print({MakeRecord("a"), used});
  const auto header = ParseHeader(bytes);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->vault_id, std::string(16, 'v'));
  EXPECT_EQ(header->root_key_id, std::string(8, 'r'));
  EXPECT_EQ(header->generation, 7U);
  EXPECT_EQ(SealOf(bytes, *header), std::string(kSealSize, 'S'));
  const auto records = ParseRecords(bytes, *header);
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].body, "ciphertext");
  EXPECT_EQ((*records)[1].id, used.id);
  EXPECT_EQ((*records)[1].label, "a label");
  EXPECT_EQ((*records)[1].last_used_at, used.last_used_at);
  EXPECT_EQ((*records)[1].version, used.version);
  EXPECT_EQ((*records)[1].body, "x");
  EXPECT_EQ(Print(*records), bytes);
}

TEST(VaultFile, MayBeEmptyOfRecords) {
  const std::string bytes = Print({});
  EXPECT_EQ(bytes.size(), kHeaderSize + kSealSize);
  EXPECT_TRUE(Parse(bytes).ok());
}

TEST(VaultFile, WantsRecordsInOrderAndOnce) {
  SealedRecord internal = MakeRecord("a");
  internal.id.kind = RecordKind::kInternal;
  EXPECT_TRUE(Parse(Print({MakeRecord("a"), MakeRecord("a", "x"), MakeRecord("b"), internal})).ok());
  EXPECT_FALSE(Parse(Print({MakeRecord("b"), MakeRecord("a")})).ok());
  EXPECT_FALSE(Parse(Print({MakeRecord("a", "x"), MakeRecord("a")})).ok());
  EXPECT_FALSE(Parse(Print({internal, MakeRecord("b")})).ok());
  EXPECT_NE(Parse(Print({MakeRecord("a"), MakeRecord("a")})).error().detail.find("record 2"), std::string::npos);
}

TEST(VaultFile, RefusesRecordsThatBreakARuleAndNamesIt) {
  EXPECT_EQ(Complaint(MakeRecord("a")), "");
  SealedRecord record = MakeRecord("a");
  record.id.kind = static_cast<RecordKind>(3);
  EXPECT_NE(Complaint(record).find("kind"), std::string::npos);
  record.id.kind = static_cast<RecordKind>(0);
  EXPECT_NE(Complaint(record).find("kind"), std::string::npos);
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(65, 'a')}) {
    EXPECT_NE(Complaint(MakeRecord(name)).find("name or owner"), std::string::npos) << name;
  }
  EXPECT_NE(Complaint(MakeRecord("a", std::string(65, 'o'))).find("name or owner"), std::string::npos);
  record = MakeRecord("a");
  for (const std::string& label : {std::string("\n"), std::string("\xff"), std::string(129, 'l')}) {
    record.label = label;
    EXPECT_NE(Complaint(record).find("label"), std::string::npos) << label;
  }
  record = MakeRecord("a");
  record.version = 0;
  EXPECT_NE(Complaint(record).find("version"), std::string::npos);
}

TEST(VaultFile, KeepsSecretSizesAndTimesWithinTheirLimits) {
  EXPECT_EQ(Complaint(MakeRecord("a", "", std::string(kMaxSecretSize, 'x'))), "");
  EXPECT_NE(Complaint(MakeRecord("a", "", std::string(kMaxSecretSize + 1, 'x'))).find("size"), std::string::npos);
  EXPECT_NE(Complaint(MakeRecord("a", "", "")).find("size"), std::string::npos);
  SealedRecord record = MakeRecord("a");
  record.created_at = WallTime(std::chrono::microseconds(253'402'300'799'999'999));
  EXPECT_EQ(Complaint(record), "");
  record.created_at += std::chrono::microseconds(1);
  EXPECT_NE(Complaint(record).find("times"), std::string::npos);
  record.created_at = WallTime(std::chrono::microseconds(-1));
  EXPECT_NE(Complaint(record).find("times"), std::string::npos);
}

TEST(VaultFile, RefusesAnIndexThatIsLongerOrShorterThanItsRecords) {
  std::string bytes = Print({MakeRecord("a"), MakeRecord("b")});
  bytes[45] = 1;  // record-count
  EXPECT_NE(Parse(bytes).error().detail.find("after the last record"), std::string::npos);
  bytes[45] = 3;
  EXPECT_NE(Parse(bytes).error().detail.find("record 3"), std::string::npos);
}

TEST(VaultFile, CountsRecordsUpToTenThousand) {
  std::string bytes = Print({});
  bytes[44] = 0x27;  // 10,000 = 0x2710
  bytes[45] = 0x10;
  EXPECT_TRUE(ParseHeader(bytes).ok());
  bytes[45] = 0x11;
  EXPECT_FALSE(ParseHeader(bytes).ok());
}

TEST(VaultFile, IsAtMostEightMebibytes) {
  std::string bytes = Print({});
  bytes.resize(kMaxFileSize);
  EXPECT_TRUE(ParseHeader(bytes).ok());
  bytes.push_back('\0');
  EXPECT_FALSE(ParseHeader(bytes).ok());
}

TEST(VaultFile, HasAGenerationFromOneOn) {
  std::string bytes = Print({});
  bytes[41] = 1;
  EXPECT_TRUE(ParseHeader(bytes).ok());
  bytes[41] = 0;
  EXPECT_FALSE(ParseHeader(bytes).ok());
}

}  // namespace
}  // namespace nd::vault
