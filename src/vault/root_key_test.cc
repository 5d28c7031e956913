#include "vault/root_key.h"

#include "vault/vault_fixture.h"

namespace nd::vault {
namespace {

constexpr char kId[] = "00112233445566778899aabbccddeeff";

class RootKeyFileTest : public VaultFixture {
 protected:
  mode_t Mode(const std::string& path) const {
    struct stat info;
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  std::string Text(std::string_view ending) const { return *ReadTextFile(KeyPath(kId, ending), 100); }
};

TEST_F(RootKeyFileTest, MakesAPrivateFileInAPrivateDirectory) {
  EXPECT_EQ(roots_->Load(kId).error().kind, ErrorKind::kNotFound);
  const auto made = roots_->Create(kId, random_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->size(), 32U);
  EXPECT_EQ(Mode(keys_directory()), 0700U);
  EXPECT_EQ(Mode(KeyPath(kId, ".key")), 0600U);
  EXPECT_EQ(Text(".key"), EncodeBase64Url(made->ExposeSecret()) + "\n");
  const auto loaded = roots_->Load(kId);
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(*loaded == *made);
}

TEST_F(RootKeyFileTest, NeverReplacesAKey) {
  ASSERT_TRUE(roots_->Create(kId, random_).ok());
  const std::string before = Text(".key");
  EXPECT_EQ(roots_->Create(kId, random_).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Text(".key"), before);
}

TEST_F(RootKeyFileTest, RotatesInTwoSteps) {
  const auto old = roots_->Create(kId, random_);
  EXPECT_EQ(roots_->LoadNext(kId).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(roots_->CommitNext(kId).ok());
  const auto next = roots_->PrepareNext(kId, random_);
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(*next == *old);
  EXPECT_TRUE(*roots_->Load(kId) == *old);
  EXPECT_TRUE(*roots_->LoadNext(kId) == *next);
  EXPECT_TRUE(*roots_->PrepareNext(kId, random_) == *next) << "a prepared key is kept: a file may be sealed by it";
  ASSERT_TRUE(roots_->CommitNext(kId).ok());
  EXPECT_TRUE(*roots_->Load(kId) == *next);
  EXPECT_EQ(roots_->LoadNext(kId).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Mode(KeyPath(kId, ".key")), 0600U);
}

TEST_F(RootKeyFileTest, DoesNotPutGarbageInPlaceOfAKey) {
  ASSERT_TRUE(roots_->Create(kId, random_).ok());
  const std::string before = Text(".key");
  ASSERT_TRUE(CreateFileDurably(KeyPath(kId, ".key.next"), "garbage").ok());
  EXPECT_FALSE(roots_->CommitNext(kId).ok());
  EXPECT_FALSE(roots_->PrepareNext(kId, random_).ok());
  EXPECT_EQ(Text(".key"), before);
}

TEST_F(RootKeyFileTest, LeavesNoOldKeyUnderTheNameOfATemporaryFile) {
  ASSERT_TRUE(roots_->Create(kId, random_).ok());
  ASSERT_EQ(link(KeyPath(kId, ".key").c_str(), KeyPath(kId, ".key.new").c_str()), 0);
  ASSERT_TRUE(roots_->PrepareNext(kId, random_).ok());
  ASSERT_TRUE(roots_->CommitNext(kId).ok());
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(keys_directory())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{std::string(kId) + ".key"});
}

TEST_F(RootKeyFileTest, RefusesAKeyThatOthersCanRead) {
  ASSERT_TRUE(roots_->Create(kId, random_).ok());
  chmod(KeyPath(kId, ".key").c_str(), 0644);
  const auto refused = roots_->Load(kId);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kForbidden);
  EXPECT_NE(refused.error().detail.find("chmod"), std::string::npos);
}

TEST_F(RootKeyFileTest, KeepsTheGeneration) {
  EXPECT_EQ(*roots_->LoadGeneration(kId), std::nullopt);
  for (const std::uint64_t generation : {std::uint64_t{1}, std::uint64_t{2}, ~std::uint64_t{0}}) {
    ASSERT_TRUE(roots_->StoreGeneration(kId, generation).ok());
    EXPECT_EQ(*roots_->LoadGeneration(kId), generation);
  }
  EXPECT_EQ(Mode(KeyPath(kId, ".generation")), 0600U);
}

TEST_F(RootKeyFileTest, KeepsVaultsApartAndTakesNoPathForAnId) {
  const auto one = roots_->Create("one", random_);
  const auto two = roots_->Create("two", random_);
  EXPECT_FALSE(*one == *two);
  for (const char* id : {"", "../x", "a/b", ".", "-x"}) {
    EXPECT_FALSE(roots_->Load(id).ok()) << id;
    EXPECT_FALSE(roots_->Create(id, random_).ok()) << id;
    EXPECT_FALSE(roots_->StoreGeneration(id, 1).ok()) << id;
  }
}

TEST_F(RootKeyFileTest, SaysSoWhenThereIsNoHome) {
  const auto nowhere = RootKeyFile("");
  EXPECT_NE(nowhere->Load(kId).error().detail.find("HOME"), std::string::npos);
}

TEST(RootKeyFromEnvironment, GivesOneKeyAndChangesNothing) {
  CountingRandom random;
  const auto roots = RootKeyFromEnvironment(Secret(std::string(32, 'k')));
  EXPECT_EQ(roots->name(), "environment");
  EXPECT_FALSE(roots->can_rotate());
  EXPECT_EQ(roots->Load(kId)->ExposeSecret(), std::string(32, 'k'));
  EXPECT_EQ(roots->LoadNext(kId).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(roots->Create(kId, random).error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(roots->PrepareNext(kId, random).error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(roots->CommitNext(kId).error().kind, ErrorKind::kForbidden);
  EXPECT_TRUE(roots->StoreGeneration(kId, 5).ok());
  EXPECT_EQ(*roots->LoadGeneration(kId), std::nullopt);
}

TEST(DecodeRootKey, ReadsHexAndBase64UrlOf32Bytes) {
  const std::string bytes(32, '\xfb');
  EXPECT_EQ(DecodeRootKey(EncodeHex(bytes))->ExposeSecret(), bytes);
  EXPECT_EQ(DecodeRootKey(EncodeBase64Url(bytes))->ExposeSecret(), bytes);
}

TEST(DecodeRootKey, RefusesEverythingElseWithoutEchoingIt) {
  const std::string hex(64, 'a');
  for (const std::string& text :
       {std::string(), hex.substr(1), hex + "a", hex.substr(1) + "g", std::string(42, 'A'), std::string(44, 'A'),
        std::string(42, 'A') + "B", std::string(42, 'A') + "=", std::string(32, 'k')}) {
    const auto key = DecodeRootKey(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_EQ(key.error().kind, ErrorKind::kInvalidInput);
    EXPECT_TRUE(text.empty() || (key.error().public_text + key.error().detail).find(text) == std::string::npos);
  }
}

}  // namespace
}  // namespace nd::vault
