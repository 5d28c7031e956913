#include "vault/vault.h"

#include "vault/vault_fixture.h"

namespace nd::vault {
namespace {

using std::chrono::seconds;

class VaultTest : public VaultFixture {
 protected:
  // A whole file under a root key given by hand, without going through Put.
  std::unique_ptr<RootKeySource> MakeFileOf(std::size_t records, std::size_t secret_size) {
    const Secret root(std::string(32, 'r'));
    FileHeader header;
    header.vault_id = std::string(kVaultIdSize, 'v');
    const VaultKeys keys = *VaultKeys::Derive(root, header.vault_id);
    header.root_key_id = keys.root_key_id();
    std::vector<SealedRecord> sealed(records);
    std::vector<const SealedRecord*> pointers;
    for (std::size_t i = 0; i < records; ++i) {
      sealed[i].id.name = "p" + std::to_string(100'000 + i);
      keys.SealRecord(sealed[i], Secret(std::string(secret_size, 's')), random_);
      pointers.push_back(&sealed[i]);
    }
    const PrintedFile printed = PrintFile(header, pointers);
    const auto seal = keys.Seal(printed.sealed_part);
    EXPECT_TRUE(EnsurePrivateDirectory(directory_ + "/state").ok());
    WriteFileBytes(printed.sealed_part + std::string(seal.data(), seal.size()) + printed.bodies);
    return RootKeyFromEnvironment(root.Clone());
  }
};

TEST_F(VaultTest, IsMadeAtTheFirstOpening) {
  const auto vault = Open();
  ASSERT_TRUE(vault);
  const Status status = vault->status();
  EXPECT_EQ(status.path, path_);
  EXPECT_EQ(status.vault_id, "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(status.root_key_id.size(), 16U);
  EXPECT_EQ(status.root_key_source, "file");
  EXPECT_EQ(status.generation, 1U);
  EXPECT_EQ(status.records, 0U);
  EXPECT_TRUE(RequirePrivateFile(path_).ok());
  EXPECT_TRUE(RequirePrivateFile(KeyPath(status.vault_id, ".key")).ok());
}

TEST_F(VaultTest, GivesBackWhatWasPutAlsoAfterReopening) {
  {
    const auto vault = Open();
    Put(*vault, kOpenAi, "sk-everyones-key-0001");
    Put(*vault, kAlice, "sk-alices-own-key-0002");
    Put(*vault, kCsrf, std::string("\0\xff\n", 3));
  }
  const auto vault = Open();
  EXPECT_EQ(Get(*vault, kOpenAi), "sk-everyones-key-0001");
  EXPECT_EQ(Get(*vault, kAlice), "sk-alices-own-key-0002");
  EXPECT_EQ(Get(*vault, kCsrf), std::string("\0\xff\n", 3));
  EXPECT_EQ(Get(*vault, {RecordKind::kInternal, "openai", ""}), "(not_found)");
  EXPECT_EQ(vault->status().generation, 4U);
  EXPECT_EQ(vault->status().records, 3U);
}

TEST_F(VaultTest, ListsWithoutSecrets) {
  const auto vault = Open();
  Put(*vault, kAlice, "0123456789abcdef", "work \xc3\xa9");
  Put(*vault, kOpenAi, "0123456789abcde");
  Put(*vault, kCsrf, "0123456789abcdef0123456789abcdef");
  const auto list = vault->List();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].id, kOpenAi);
  EXPECT_EQ(list[0].last4, "") << "15 characters are too few to show four of";
  EXPECT_EQ(list[1].id, kAlice);
  EXPECT_EQ(list[1].last4, "cdef");
  EXPECT_EQ(list[1].label, "work \xc3\xa9");
  EXPECT_EQ(list[2].id, kCsrf);
  EXPECT_EQ(list[2].last4, "") << "the deck's own secrets show nothing";
  EXPECT_EQ(Open()->List()[1].last4, "cdef");
}

TEST_F(VaultTest, ReplacingKeepsTheCreationTimeAndCountsTheVersion) {
  const auto vault = Open();
  const WallTime created = clock_.Now();
  Put(*vault, kAlice, "first");
  clock_.Advance(seconds(60));
  vault->MarkUsed(kAlice);
  const auto info = vault->Put(kAlice, "second label", Secret("second"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->created_at, created);
  EXPECT_EQ(info->updated_at, created + seconds(60));
  EXPECT_EQ(info->version, 2U);
  EXPECT_EQ(info->label, "second label");
  EXPECT_EQ(info->last_used_at, std::nullopt);
  EXPECT_EQ(Get(*Open(), kAlice), "second");
}

TEST_F(VaultTest, RemovesForGood) {
  const auto vault = Open();
  Put(*vault, kAlice, "secret");
  EXPECT_TRUE(vault->Remove(kAlice).ok());
  EXPECT_EQ(Get(*vault, kAlice), "(not_found)");
  EXPECT_EQ(vault->Remove(kAlice).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(Open()->Find(kAlice));
}

TEST_F(VaultTest, WritesTheTimeOfUseWithTheNextChange) {
  const auto vault = Open();
  Put(*vault, kAlice, "secret");
  clock_.Advance(seconds(5));
  vault->MarkUsed(kAlice);
  vault->MarkUsed(kOpenAi);
  EXPECT_EQ(vault->Find(kAlice)->last_used_at, clock_.Now());
  EXPECT_EQ(Open()->Find(kAlice)->last_used_at, std::nullopt);
  Put(*vault, kOpenAi, "another");
  EXPECT_EQ(Open()->Find(kAlice)->last_used_at, clock_.Now());
  EXPECT_EQ(Get(*Open(), kAlice), "secret");
}

TEST_F(VaultTest, FlushUseWritesTheTimesOfUseOnceAndNothingElse) {
  const auto vault = Open();
  Put(*vault, kAlice, "secret");
  ASSERT_TRUE(vault->FlushUse().ok());
  vault->MarkUsed(kOpenAi);  // not there
  ASSERT_TRUE(vault->FlushUse().ok());
  EXPECT_EQ(vault->status().generation, 2U) << "nothing was used";
  clock_.Advance(seconds(5));
  vault->MarkUsed(kAlice);
  ASSERT_TRUE(vault->FlushUse().ok());
  ASSERT_TRUE(vault->FlushUse().ok());
  EXPECT_EQ(vault->status().generation, 3U);
  const auto reopened = Open();
  EXPECT_EQ(reopened->Find(kAlice)->last_used_at, clock_.Now());
  EXPECT_EQ(reopened->Find(kAlice)->version, 1U);
  EXPECT_EQ(Get(*reopened, kAlice), "secret");
}

TEST_F(VaultTest, ShowsNoSecretInItsFile) {
  const auto vault = Open();
  Put(*vault, kAlice, "canary-in-the-vault");
  ASSERT_TRUE(vault->Rotate().ok());
  EXPECT_EQ(FileBytes().find("canary-in"), std::string::npos);
  EXPECT_EQ(FileBytes().find("ault"), std::string::npos);
  EXPECT_NE(FileBytes().find("openai"), std::string::npos) << "names are readable: the format says so";
}

TEST_F(VaultTest, TakesSecretsFrom1To16384Bytes) {
  const auto vault = Open();
  EXPECT_EQ(vault->Put(kAlice, "", Secret()).error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(vault->Put(kAlice, "", Secret("x")).ok());
  for (const std::size_t size : {16'383U, 16'384U}) {
    EXPECT_TRUE(vault->Put(kAlice, "", Secret(std::string(size, 'x'))).ok()) << size;
  }
  EXPECT_EQ(vault->Put(kAlice, "", Secret(std::string(16'385, 'x'))).error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(Get(*Open(), kAlice).size(), 16'384U);
}

TEST_F(VaultTest, TakesNamesOwnersAndLabelsUpToTheirLimits) {
  const auto vault = Open();
  const auto put = [&](std::size_t name, std::size_t owner, std::size_t label) {
    return vault
        ->Put({RecordKind::kProviderKey, std::string(name, 'n'), std::string(owner, 'o')}, std::string(label, 'l'),
              Secret("x"))
        .ok();
  };
  EXPECT_TRUE(put(1, 0, 0));
  EXPECT_TRUE(put(63, 63, 127));
  EXPECT_TRUE(put(64, 64, 128));
  EXPECT_FALSE(put(0, 0, 0));
  EXPECT_FALSE(put(65, 64, 128));
  EXPECT_FALSE(put(64, 65, 128));
  EXPECT_FALSE(put(64, 64, 129));
  for (const char* bad : {"a/b", "..", "-a", "a b", "\xc3\xa9", "a\n"}) {
    EXPECT_FALSE(vault->Put({RecordKind::kProviderKey, bad, ""}, "", Secret("x")).ok()) << bad;
    EXPECT_FALSE(vault->Put({RecordKind::kProviderKey, "a", bad}, "", Secret("x")).ok()) << bad;
  }
  EXPECT_TRUE(vault->Put({RecordKind::kProviderKey, "a", "alice@example.com"}, "", Secret("x")).ok());
  EXPECT_FALSE(vault->Put({RecordKind::kProviderKey, "a@b", ""}, "", Secret("x")).ok());
  EXPECT_FALSE(vault->Put({RecordKind::kProviderKey, "a", "@alice"}, "", Secret("x")).ok());
  for (const char* bad : {"a\nb", "\x7f", "\xff"}) EXPECT_FALSE(vault->Put(kAlice, bad, Secret("x")).ok()) << bad;
  EXPECT_EQ(Open()->status().records, 4U);
}

TEST_F(VaultTest, HoldsTenThousandRecordsAndRefusesOneMore) {
  const auto roots = MakeFileOf(kMaxRecords - 1, 1);
  const auto vault = Open(*roots);
  ASSERT_TRUE(vault);
  EXPECT_TRUE(vault->Put(kOpenAi, "", Secret("x")).ok());
  EXPECT_EQ(vault->Put(kAlice, "", Secret("x")).error().kind, ErrorKind::kTooLarge);
  EXPECT_TRUE(vault->Put(kOpenAi, "", Secret("y")).ok()) << "replacing needs no room";
  EXPECT_EQ(vault->status().records, kMaxRecords);
  EXPECT_EQ(Open(*roots)->status().records, kMaxRecords);
}

TEST_F(VaultTest, RefusesToGrowBeyondEightMebibytesAndStaysUsable) {
  const auto roots = MakeFileOf(507, kMaxSecretSize);
  const auto vault = Open(*roots);
  ASSERT_TRUE(vault);
  const std::string before = FileBytes();
  ASSERT_GT(before.size() + kMaxSecretSize, kMaxFileSize);
  EXPECT_EQ(vault->Put(kOpenAi, "", Secret(std::string(kMaxSecretSize, 'x'))).error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(FileBytes(), before);
  EXPECT_FALSE(vault->Find(kOpenAi));
  EXPECT_TRUE(vault->Put(kOpenAi, "", Secret("small")).ok());
  EXPECT_EQ(Open(*roots)->status().unreadable.size(), 0U);
}

TEST_F(VaultTest, RefusesAFileOrFolderThatOthersCanUse) {
  ASSERT_TRUE(Open());
  chmod(path_.c_str(), 0640);
  EXPECT_EQ(TryOpen().error().kind, ErrorKind::kForbidden);
  chmod(path_.c_str(), 0600);
  chmod((directory_ + "/state").c_str(), 0770);
  EXPECT_EQ(TryOpen().error().kind, ErrorKind::kForbidden);
}

TEST_F(VaultTest, OpensByAKeyGivenByHandAndKeepsNoCounterThen) {
  const auto roots = RootKeyFromEnvironment(Secret(EncodeHex(std::string(32, '\x40'))));
  {
    const auto vault = Open(*roots);
    ASSERT_TRUE(vault);
    EXPECT_EQ(vault->status().root_key_source, "environment");
    Put(*vault, kAlice, "secret");
  }
  EXPECT_EQ(Get(*Open(*roots), kAlice), "secret");
  EXPECT_FALSE(std::filesystem::exists(keys_directory()));
}

TEST_F(VaultTest, ADiskThatTakesNoWritesChangesNothing) {
  const auto vault = Open();
  Put(*vault, kAlice, "secret");
  std::filesystem::create_directory(path_ + ".new");
  EXPECT_FALSE(vault->Put(kAlice, "", Secret("other")).ok());
  EXPECT_FALSE(vault->Remove(kAlice).ok());
  EXPECT_EQ(Get(*vault, kAlice), "secret");
  std::filesystem::remove(path_ + ".new");
  Put(*vault, kAlice, "third");
  EXPECT_EQ(Get(*Open(), kAlice), "third");
  EXPECT_EQ(vault->Find(kAlice)->version, 2U);
}

TEST_F(VaultTest, AChangeWhoseCounterFailedIsThereAndTheNextOneCatchesUp) {
  const auto vault_id = Open()->status().vault_id;
  const std::string counter = KeyPath(vault_id, ".generation");
  const auto vault = Open();
  std::filesystem::create_directory(counter + ".new");
  EXPECT_FALSE(vault->Put(kAlice, "", Secret("one")).ok());
  EXPECT_EQ(Get(*vault, kAlice), "one");
  EXPECT_FALSE(vault->Put(kAlice, "", Secret("two")).ok()) << "two ahead of the counter would look like a forgery";
  EXPECT_EQ(Get(*vault, kAlice), "one");
  EXPECT_EQ(*ReadTextFile(counter, 10), "1\n");
  std::filesystem::remove(counter + ".new");
  Put(*vault, kAlice, "three");
  EXPECT_EQ(*ReadTextFile(counter, 10), "3\n");
  EXPECT_EQ(Get(*Open(), kAlice), "three");
}

TEST_F(VaultTest, ChecksTheFileOnDiskAgain) {
  const auto vault = Open();
  Put(*vault, kAlice, "secret");
  ASSERT_TRUE(vault->Check().ok());
  EXPECT_EQ(vault->Check()->records, 1U);
  std::string bytes = FileBytes();
  bytes.back() ^= 1;
  WriteFileBytes(bytes);
  ASSERT_TRUE(vault->Check().ok());
  EXPECT_EQ(vault->Check()->unreadable, std::vector<RecordId>{kAlice});
  bytes[kHeaderSize - 1] ^= 1;
  WriteFileBytes(bytes);
  EXPECT_EQ(vault->Check().error().kind, ErrorKind::kInvalidInput);
  std::filesystem::remove(path_);
  EXPECT_FALSE(vault->Check().ok());
}

// The format document shows this file. Regenerate only with a new format version.
TEST_F(VaultTest, WritesTheFileOfTheFormatDocument) {
  const auto roots = RootKeyFromEnvironment(Secret(std::string(32, '\x40')));
  {
    const auto vault = Open(*roots);
    ASSERT_TRUE(vault);
    Put(*vault, kAlice, "sk-example-0123456789", "work");
    clock_.Advance(seconds(1));
    vault->MarkUsed(kAlice);
    Put(*vault, kCsrf, std::string(32, '\x20'), "");
  }
  const auto vector = ReadTextFile(std::string(ND_SOURCE_DIR) + "/tests/vectors/secrets-enc-1.hex", 100'000);
  ASSERT_TRUE(vector.ok());
  std::string hex;
  for (const char c : *vector) {
    if (c != '\n') hex.push_back(c);
  }
  EXPECT_EQ(EncodeHex(FileBytes()), hex);
  WriteFileBytes(DecodeHex(hex).value());
  EXPECT_EQ(Get(*Open(*roots), kAlice), "sk-example-0123456789");
}

}  // namespace
}  // namespace nd::vault
