#include "keeper/front_secrets.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "keeper/keeper_test_world.h"

namespace nd::keeper {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class FrontSecretsTest : public testing::Test {
 protected:
  void SetUp() override {
    roots_ = vault::RootKeyFile(folder_.path() + "/roots");
    auto opened = vault::Vault::Open(folder_.path() + "/secrets.enc", *roots_, clock_, random_);
    ASSERT_TRUE(opened.ok());
    vault_ = *std::move(opened);
  }
  std::vector<std::string> KeyIds(const Result<FrontSecrets>& secrets) {
    std::vector<std::string> ids;
    for (const auto& [id, key] : secrets->jwt) ids.push_back(id);
    return ids;
  }

  TemporaryFolder folder_;
  ManualClock clock_{WallTime(seconds(1'800'000'000))};
  SystemRandom random_;
  std::unique_ptr<vault::RootKeySource> roots_;
  std::unique_ptr<vault::Vault> vault_;
};

TEST_F(FrontSecretsTest, OldSigningKeysVerifyUntilTheLongestLivedTokenHasExpired) {
  FrontSecretStore store(*vault_, clock_, random_);
  const auto first = KeyIds(store.Load());
  ASSERT_EQ(first.size(), 1U);
  const auto second = KeyIds(store.RotateJwt());
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(second[1], first[0]);
  clock_.Advance(seconds(604'800 - 1));
  EXPECT_EQ(KeyIds(store.Load()), second);
  clock_.Advance(seconds(1));
  EXPECT_EQ(KeyIds(store.Load()), std::vector<std::string>{second[0]});
  const auto third = KeyIds(store.RotateJwt());
  EXPECT_EQ(third.size(), 2U);
  EXPECT_EQ(third[1], second[0]);
}

TEST_F(FrontSecretsTest, TheSigningKeyHasNoEnd) {
  FrontSecretStore store(*vault_, clock_, random_);
  const auto first = KeyIds(store.Load());
  clock_.Advance(hours(24 * 365 * 10));
  EXPECT_EQ(KeyIds(store.Load()), first);
}

TEST_F(FrontSecretsTest, RotationIsRefusedBeforeAKeyInUseWouldBeLost) {
  FrontSecretStore store(*vault_, clock_, random_);
  ASSERT_TRUE(store.Load().ok());
  for (std::size_t i = 1; i < FrontSecretStore::kMaxSigningKeys; ++i) ASSERT_TRUE(store.RotateJwt().ok()) << i;
  EXPECT_EQ(store.RotateJwt().error().kind, ErrorKind::kConflict);
  EXPECT_EQ(store.Load()->jwt.size(), FrontSecretStore::kMaxSigningKeys);
  // Ids that a token's header can name, whatever was drawn.
  for (const std::string& id : KeyIds(store.Load())) EXPECT_TRUE(IsName(id, 64)) << id;
  clock_.Advance(FrontSecretStore::kLongestLifetime);
  EXPECT_TRUE(store.RotateJwt().ok());
}

TEST_F(FrontSecretsTest, ARingThatMakesNoSenseIsAnErrorAndStaysAsItIs) {
  const vault::RecordId ring{vault::RecordKind::kInternal, "jwt", ""};
  ASSERT_TRUE(vault_->Put(ring, "", Secret("not a ring")).ok());
  FrontSecretStore store(*vault_, clock_, random_);
  EXPECT_FALSE(store.Load().ok());
  EXPECT_FALSE(store.RotateJwt().ok());
  EXPECT_EQ(vault_->Expose(ring)->ExposeSecret(), "not a ring");
}

TEST_F(FrontSecretsTest, SecretsSurviveARotationOfTheVault) {
  FrontSecretStore store(*vault_, clock_, random_);
  const auto before = store.Load();
  ASSERT_TRUE(vault_->Rotate().ok());
  const auto after = store.Load();
  EXPECT_EQ(before->csrf, after->csrf);
  EXPECT_EQ(before->jwt[0].second, after->jwt[0].second);
}

}  // namespace
}  // namespace nd::keeper
