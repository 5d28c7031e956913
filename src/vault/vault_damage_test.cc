// Stories of damage and attack: a file that was flipped, cut, spliced, replaced or sealed by someone else. What must
// hold each time: a clean refusal that names what is wrong, or a record that is listed as unreadable; never a wrong
// secret, and never a write to a file that was refused.
#include <map>

#include "vault/vault.h"
#include "vault/vault_fixture.h"

namespace nd::vault {
namespace {

class VaultDamage : public VaultFixture {
 protected:
  void SetUp() override {
    VaultFixture::SetUp();
    const auto vault = Open();
    ASSERT_TRUE(vault);
    vault_id_ = vault->status().vault_id;
    Put(*vault, kAlice, secrets_.at(kAlice));
    oldest_ = FileBytes();
    Put(*vault, kCsrf, secrets_.at(kCsrf));
    Put(*vault, kOpenAi, "the-first-openai-key");
    older_ = FileBytes();
    Put(*vault, kOpenAi, secrets_.at(kOpenAi));
    good_ = FileBytes();
    header_ = *ParseHeader(good_);
  }

  // Tries `bytes` as the vault file. Returns the detail of the refusal, or the records that are unreadable as "!name".
  std::string Try(const std::string& bytes) {
    WriteFileBytes(bytes);
    auto vault = TryOpen();
    EXPECT_EQ(FileBytes(), bytes) << "a damaged file was written to";
    if (!vault.ok()) {
      EXPECT_FALSE(vault.error().public_text.empty());
      return vault.error().detail;
    }
    std::string unreadable;
    for (const auto& [id, secret] : secrets_) {
      const std::string got = Get(**vault, id);
      if (got == secret) continue;
      EXPECT_EQ(got, "(unreadable)") << "a wrong secret, or one that went missing";
      EXPECT_FALSE((*vault)->Find(id)->readable);
      unreadable += "!" + id.name + id.owner;
    }
    EXPECT_EQ((*vault)->status().unreadable.empty(), unreadable.empty());
    return unreadable;
  }

  std::string WithBytes(std::size_t at, std::string_view bytes) const {
    return good_.substr(0, at) + std::string(bytes) + good_.substr(at + bytes.size());
  }
  std::size_t bodies_at() const { return kHeaderSize + header_.index_size + kSealSize; }

  // Of the same length, so that their ciphertexts could change places.
  const std::map<RecordId, std::string> secrets_{
      {kOpenAi, "0123456789-of-all-0"}, {kAlice, "0123456789-of-alice"}, {kCsrf, "0123456789-of-csrf!"}};
  std::string vault_id_, oldest_, older_, good_;
  FileHeader header_;
};

TEST_F(VaultDamage, TheUndamagedFileOpens) { EXPECT_EQ(Try(good_), ""); }

TEST_F(VaultDamage, EveryFlippedByteIsNoticedAndNamed) {
  for (std::size_t at = 0; at < good_.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string damaged = good_;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      const std::string outcome = Try(damaged);
      ASSERT_FALSE(outcome.empty()) << "byte " << at << " was changed and nobody noticed";
      // In the order of the index: openai, openai/alice, csrf.
      if (at >= bodies_at()) {
        const char* const expected[] = {"!openai", "!openaialice", "!csrf"};
        ASSERT_EQ(outcome, expected[(at - bodies_at()) / 19]) << at;
      } else {
        ASSERT_NE(outcome[0], '!') << at;
      }
    }
  }
}

TEST_F(VaultDamage, EveryTruncationIsRefused) {
  for (std::size_t size = 0; size < good_.size(); ++size) {
    const std::string outcome = Try(good_.substr(0, size));
    ASSERT_FALSE(outcome.empty()) << size;
    ASSERT_NE(outcome[0], '!') << size;
  }
}

TEST_F(VaultDamage, SomethingAfterTheEndIsRefused) {
  EXPECT_NE(Try(good_ + '\0').find("after its end"), std::string::npos);
  EXPECT_NE(Try(good_ + good_).find("after its end"), std::string::npos);
}

TEST_F(VaultDamage, CiphertextsThatChangedPlacesDoNotOpen) {
  const std::string first = good_.substr(bodies_at(), 19);
  const std::string second = good_.substr(bodies_at() + 19, 19);
  EXPECT_EQ(Try(WithBytes(bodies_at(), second + first)), "!openai!openaialice");
  EXPECT_EQ(Try(WithBytes(bodies_at(), second)), "!openai");
}

TEST_F(VaultDamage, ARecordThatIsReplacedByItsOlderVersionIsNoticed) {
  // Same sizes everywhere, so the older entry and body fit exactly.
  const FileHeader older_header = *ParseHeader(older_);
  const auto older_records = *ParseRecords(older_, older_header);
  auto records = *ParseRecords(good_, header_);
  ASSERT_EQ(records[0].id, kOpenAi);
  ASSERT_EQ(older_records[0].version + 1, records[0].version);
  records[0] = older_records[0];
  std::vector<const SealedRecord*> pointers;
  for (const auto& record : records) pointers.push_back(&record);
  const PrintedFile printed = PrintFile(header_, pointers);
  const std::string outcome = Try(printed.sealed_part + std::string(SealOf(good_, header_)) + printed.bodies);
  EXPECT_NE(outcome.find("seal"), std::string::npos) << outcome;
}

TEST_F(VaultDamage, ADroppedRecordIsNoticed) {
  const auto records = *ParseRecords(good_, header_);
  const PrintedFile printed = PrintFile(header_, {&records[0], &records[2]});
  const std::string outcome = Try(printed.sealed_part + std::string(SealOf(good_, header_)) + printed.bodies);
  EXPECT_NE(outcome.find("seal"), std::string::npos) << outcome;
}

TEST_F(VaultDamage, ARenamedRecordIsNoticedEvenUnderAGoodSeal) {
  // Whoever could forge the seal still could not move a secret to another owner.
  const VaultKeys keys = *VaultKeys::Derive(*roots_->Load(vault_id_), header_.vault_id);
  auto records = *ParseRecords(good_, header_);
  records[1].id.owner = "mallory";
  const PrintedFile printed = PrintFile(header_, {&records[0], &records[1], &records[2]});
  const auto seal = keys.Seal(printed.sealed_part);
  WriteFileBytes(printed.sealed_part + std::string(seal.data(), seal.size()) + printed.bodies);
  const auto vault = Open();
  ASSERT_TRUE(vault);
  EXPECT_EQ(Get(*vault, {RecordKind::kProviderKey, "openai", "mallory"}), "(unreadable)");
  EXPECT_EQ(Get(*vault, kOpenAi), secrets_.at(kOpenAi));
}

TEST_F(VaultDamage, AnOlderFileIsRefusedAsRollback) {
  for (const std::string& older : {older_, oldest_}) {
    EXPECT_NE(Try(older).find("counter beside the root key"), std::string::npos);
    EXPECT_EQ(TryOpen().error().kind, ErrorKind::kConflict);
  }
  EXPECT_EQ(Try(good_), "");
}

TEST_F(VaultDamage, AnOlderFileOpensAfterTheCounterWasDeletedOnPurpose) {
  std::filesystem::remove(KeyPath(vault_id_, ".generation"));
  WriteFileBytes(oldest_);
  const auto vault = Open();
  ASSERT_TRUE(vault);
  EXPECT_EQ(Get(*vault, kAlice), secrets_.at(kAlice));
  EXPECT_EQ(*ReadTextFile(KeyPath(vault_id_, ".generation"), 10), "2\n");
}

TEST_F(VaultDamage, ACounterThatIsTooFarBehindOrGarbageIsRefusedNamingTheFile) {
  ASSERT_TRUE(roots_->StoreGeneration(vault_id_, header_.generation - 2).ok());
  EXPECT_NE(Try(good_).find(".generation"), std::string::npos);
  for (const char* text : {"", "5", "x\n", "5 \n", "-5\n", "99999999999999999999\n"}) {
    ASSERT_TRUE(ReplaceFileDurably(KeyPath(vault_id_, ".generation"), text).ok());
    EXPECT_NE(Try(good_).find(".generation"), std::string::npos) << text;
  }
}

TEST_F(VaultDamage, OtherFormatVersionsAreRefused) {
  EXPECT_NE(Try(WithBytes(8, std::string("\0\0", 2))).find("version is 0"), std::string::npos);
  EXPECT_NE(Try(WithBytes(8, std::string("\0\2", 2))).find("version is 2"), std::string::npos);
}

TEST_F(VaultDamage, HugeCountsAndSizesAreRefusedAtOnce) {
  const std::string most("\xff\xff\xff\xff", 4);
  EXPECT_NE(Try(WithBytes(42, most)).find("records"), std::string::npos);
  EXPECT_NE(Try(WithBytes(46, most)).find("index"), std::string::npos);
  WriteFileBytes(good_ + std::string(kMaxFileSize, '\0'));
  EXPECT_EQ(TryOpen().error().kind, ErrorKind::kTooLarge);
}

TEST_F(VaultDamage, FilesOfOtherKindsAreRefusedAsSuch) {
  for (const std::string& bytes : {std::string(), std::string("{}"), std::string(5000, '\0'), std::string("NDVAULT")}) {
    EXPECT_NE(Try(bytes).find("mark of a vault file"), std::string::npos) << bytes.size();
  }
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(TryOpen().ok());
}

TEST_F(VaultDamage, AWrongRootKeyIsNamedAsSuch) {
  const auto wrong = RootKeyFromEnvironment(Secret(std::string(32, 'w')));
  const auto vault = TryOpen(*wrong);
  ASSERT_FALSE(vault.ok());
  EXPECT_EQ(vault.error().kind, ErrorKind::kInvalidInput);
  EXPECT_NE(vault.error().detail.find("root key " + EncodeHex(header_.root_key_id)), std::string::npos);
  EXPECT_EQ(FileBytes(), good_);
}

TEST_F(VaultDamage, AMissingRootKeyIsNeverMadeAnew) {
  std::filesystem::remove(KeyPath(vault_id_, ".key"));
  const auto vault = TryOpen();
  ASSERT_FALSE(vault.ok());
  EXPECT_EQ(vault.error().public_text, "The root key of this vault is missing.");
  EXPECT_FALSE(std::filesystem::exists(KeyPath(vault_id_, ".key")));
  EXPECT_EQ(FileBytes(), good_);
}

TEST_F(VaultDamage, ADamagedRootKeyFileIsNamed) {
  ASSERT_TRUE(ReplaceFileDurably(KeyPath(vault_id_, ".key"), "not a key\n").ok());
  EXPECT_NE(Try(good_).find(vault_id_ + ".key"), std::string::npos);
}

TEST_F(VaultDamage, AnotherVaultsFileIsNotTakenForThisOne) {
  const auto other = Vault::Open(directory_ + "/other/secrets.enc", *roots_, clock_, random_);
  ASSERT_TRUE(other.ok());
  Put(**other, kAlice, "of another vault");
  const auto its = ReadTextFile(directory_ + "/other/secrets.enc", kMaxFileSize);
  ASSERT_TRUE(its.ok());
  const FileHeader its_header = *ParseHeader(*its);
  const auto its_records = *ParseRecords(*its, its_header);
  auto records = *ParseRecords(good_, header_);
  records[1] = its_records[0];
  const VaultKeys keys = *VaultKeys::Derive(*roots_->Load(vault_id_), header_.vault_id);
  EXPECT_FALSE(keys.OpenRecord(records[1]).ok());
}

TEST_F(VaultDamage, AnUnreadableRecordIsCarriedAlongUntilItIsReplaced) {
  std::string damaged = good_;
  damaged[bodies_at()] ^= 1;
  WriteFileBytes(damaged);
  const std::string body = damaged.substr(bodies_at(), 19);
  {
    const auto vault = Open();
    Put(*vault, kCsrf, "a new secret for csrf");
    EXPECT_NE(FileBytes().find(body), std::string::npos);
    EXPECT_EQ(vault->Rotate().error().code, "unreadable");
    EXPECT_EQ(vault->Check()->unreadable, std::vector<RecordId>{kOpenAi});
  }
  const auto vault = Open();
  EXPECT_EQ(Get(*vault, kOpenAi), "(unreadable)");
  EXPECT_EQ(vault->List().size(), 3U);
  Put(*vault, kOpenAi, "stored anew");
  EXPECT_EQ(Get(*vault, kOpenAi), "stored anew");
  EXPECT_TRUE(vault->status().unreadable.empty());
  EXPECT_TRUE(vault->Rotate().ok());
}

TEST_F(VaultDamage, AFileThatSomeoneElseWroteMeanwhileIsNotSettledOver) {
  const auto vault = Open();
  std::filesystem::create_directory(KeyPath(vault_id_, ".generation.new"));
  EXPECT_FALSE(vault->Put(kAlice, "", Secret("x")).ok());
  std::filesystem::remove(KeyPath(vault_id_, ".generation.new"));
  WriteFileBytes(older_);
  EXPECT_EQ(vault->Put(kAlice, "", Secret("y")).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(FileBytes(), older_);
}

}  // namespace
}  // namespace nd::vault
