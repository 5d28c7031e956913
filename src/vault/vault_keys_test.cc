#include "vault/vault_keys.h"

#include "vault/vault_fixture.h"

namespace nd::vault {
namespace {

class VaultKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    record_.id = kAlice;
    record_.label = "work";
    record_.created_at = record_.updated_at = WallTime(std::chrono::seconds(1));
    keys_.SealRecord(record_, Secret("the secret"), random_);
  }
  static VaultKeys Derive(char root, char vault_id) {
    return *VaultKeys::Derive(Secret(std::string(32, root)), std::string(kVaultIdSize, vault_id));
  }
  bool Opens(const SealedRecord& record) const { return keys_.OpenRecord(record).ok(); }

  CountingRandom random_;
  const VaultKeys keys_ = Derive('r', 'v');
  SealedRecord record_;
};

TEST_F(VaultKeysTest, OpensWhatItSealed) {
  const auto secret = keys_.OpenRecord(record_);
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(secret->ExposeSecret(), "the secret");
  EXPECT_EQ(record_.body.size(), 10U);
}

TEST_F(VaultKeysTest, BindsARecordToEverythingThatIsSaidOfIt) {
  const auto with = [&](auto change) {
    SealedRecord changed = record_;
    change(changed);
    return Opens(changed);
  };
  EXPECT_TRUE(with([](SealedRecord&) {}));
  EXPECT_FALSE(with([](SealedRecord& r) { r.id.kind = RecordKind::kInternal; }));
  EXPECT_FALSE(with([](SealedRecord& r) { r.id.name = "openaj"; }));
  EXPECT_FALSE(with([](SealedRecord& r) { r.id.owner = ""; }));
  EXPECT_FALSE(with([](SealedRecord& r) { r.id = {r.id.kind, "openaia", "lice"}; })) << "lengths are bound too";
  EXPECT_FALSE(with([](SealedRecord& r) { r.label = "home"; }));
  EXPECT_FALSE(with([](SealedRecord& r) { r.created_at += std::chrono::seconds(1); }));
  EXPECT_FALSE(with([](SealedRecord& r) { r.updated_at += std::chrono::seconds(1); }));
  EXPECT_FALSE(with([](SealedRecord& r) { ++r.version; }));
  EXPECT_TRUE(with([](SealedRecord& r) { r.last_used_at = WallTime(std::chrono::seconds(9)); }))
      << "the time of use changes without the secret being sealed anew; the file's seal covers it";
}

TEST_F(VaultKeysTest, OpensNothingOfAnotherVaultOrRootKey) {
  EXPECT_TRUE(Derive('r', 'v').OpenRecord(record_).ok());
  EXPECT_FALSE(Derive('r', 'V').OpenRecord(record_).ok());
  EXPECT_FALSE(Derive('R', 'v').OpenRecord(record_).ok());
}

TEST_F(VaultKeysTest, DoesNotTakeTheDataKeyOfAnotherRecord) {
  SealedRecord other = record_;
  keys_.SealRecord(other, Secret("the secret"), random_);
  EXPECT_NE(other.wrapped_key, record_.wrapped_key);
  EXPECT_NE(other.body, record_.body);
  std::swap(other.wrapped_key, record_.wrapped_key);
  std::swap(other.key_nonce, record_.key_nonce);
  EXPECT_FALSE(Opens(other));
}

TEST_F(VaultKeysTest, SealsAFile) {
  const auto seal = keys_.Seal("header and index");
  const std::string_view view(seal.data(), seal.size());
  EXPECT_TRUE(keys_.VerifySeal("header and index", view));
  EXPECT_FALSE(keys_.VerifySeal("header and Index", view));
  EXPECT_FALSE(keys_.VerifySeal("header and index", view.substr(1)));
  EXPECT_FALSE(Derive('R', 'v').VerifySeal("header and index", view));
}

TEST_F(VaultKeysTest, TellsRootKeysApart) {
  EXPECT_EQ(Derive('r', 'v').root_key_id(), keys_.root_key_id());
  EXPECT_NE(Derive('R', 'v').root_key_id(), keys_.root_key_id());
  EXPECT_NE(Derive('r', 'V').root_key_id(), keys_.root_key_id());
  EXPECT_EQ(keys_.root_key_id().size(), kRootKeyIdSize);
}

TEST_F(VaultKeysTest, WantsARootKeyOf32Bytes) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    EXPECT_FALSE(VaultKeys::Derive(Secret(std::string(size, 'r')), std::string(16, 'v')).ok()) << size;
  }
}

}  // namespace
}  // namespace nd::vault
