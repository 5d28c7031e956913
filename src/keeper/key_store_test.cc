#include "keeper/key_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "keeper/keeper_test_world.h"

namespace nd::keeper {
namespace {

class KeyStoreTest : public testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    vault_.reset();
    roots_ = vault::RootKeyFile(folder_.path() + "/roots");
    auto opened = vault::Vault::Open(path_, *roots_, clock_, random_);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    vault_ = *std::move(opened);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/secrets.enc";
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<vault::RootKeySource> roots_;
  std::unique_ptr<vault::Vault> vault_;
};

TEST_F(KeyStoreTest, AUsersUnreadableKeyIsAnErrorAndNotAReasonToSpendTheGlobalOne) {
  ASSERT_TRUE(KeyStore(*vault_).Put({"p", "", "", Secret("sk-global-key")}).ok());
  ASSERT_TRUE(KeyStore(*vault_).Put({"p", "alice", "", Secret("sk-alice-key1")}).ok());
  vault_.reset();
  {
    // Bodies lie in the order of records: the last byte is the last of alice's key.
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-1, std::ios::end);
    const char last = static_cast<char>(file.get());
    file.seekp(-1, std::ios::end);
    file.put(static_cast<char>(last ^ 1));
  }
  Open();
  KeyStore store(*vault_);
  const auto keys = store.List({});
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_TRUE(keys[0].readable);
  EXPECT_FALSE(keys[1].readable);
  EXPECT_EQ(store.Status().unreadable, std::vector<std::string>{"p/alice"});
  const auto key = store.ForCall("p", "alice");
  ASSERT_FALSE(key.ok());
  EXPECT_NE(key.error().public_text.find("Store it again"), std::string::npos);
  EXPECT_EQ(store.ForCall("p", "bob")->ExposeSecret(), "sk-global-key");
  ASSERT_TRUE(store.Put({"p", "alice", "", Secret("sk-alice-key2")}).ok());
  EXPECT_EQ(store.ForCall("p", "alice")->ExposeSecret(), "sk-alice-key2");
}

TEST_F(KeyStoreTest, ListsPagesWithoutGapOrRepetition) {
  KeyStore store(*vault_);
  for (const char* provider : {"a", "b"}) {
    for (const char* owner : {"", "u1", "u2"}) ASSERT_TRUE(store.Put({provider, owner, "", Secret("12345678")}).ok());
  }
  const auto all = store.List({});
  ASSERT_EQ(all.size(), 6U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto rest = store.List({all[i].provider, all[i].owner});
    ASSERT_EQ(rest.size(), 5 - i);
    if (rest.empty()) break;
    EXPECT_EQ(rest[0].provider + rest[0].owner, all[i + 1].provider + all[i + 1].owner);
  }
}

TEST_F(KeyStoreTest, DoesNotListWhatIsNoProviderKey) {
  ASSERT_TRUE(vault_->Put({vault::RecordKind::kInternal, "csrf", ""}, "", Secret("x")).ok());
  EXPECT_TRUE(KeyStore(*vault_).List({}).empty());
}

}  // namespace
}  // namespace nd::keeper
