// What the vault's tests share: a temporary state folder, fixed randomness and time, and a root key source that fails
// or ends the process at a chosen step. Included by tests only.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "vault/root_key.h"
#include "vault/vault.h"
#include "vault/vault_file.h"
#include "vault/vault_keys.h"

namespace nd::vault {

// 0, 1, 2, ... to 255, then other orders of them, so that every run is the same and nothing repeats soon.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(unsigned start = 0) : next_(start) {}
  void Fill(std::span<char> out) override {
    for (char& byte : out) {
      byte = static_cast<char>((next_ + (next_ >> 8) * 7) & 255);
      ++next_;
    }
  }

 private:
  unsigned next_;
};

// Passes everything on to `inner`, but stops at the n-th point of interest: each call that changes something has one
// before and one after it.
class InterruptedSource final : public RootKeySource {
 public:
  enum class By { kError, kDeath };
  InterruptedSource(RootKeySource& inner, int stop_at, By by = By::kError) : inner_(inner), left_(stop_at), by_(by) {}

  bool stopped() const { return left_ <= 0; }

  std::string_view name() const override { return inner_.name(); }
  bool can_rotate() const override { return inner_.can_rotate(); }
  Result<Secret> Load(std::string_view id) override { return inner_.Load(id); }
  Result<Secret> LoadNext(std::string_view id) override { return inner_.LoadNext(id); }
  Result<std::optional<std::uint64_t>> LoadGeneration(std::string_view id) override {
    return inner_.LoadGeneration(id);
  }
  Result<Secret> Create(std::string_view id, Random& random) override {
    return Around([&] { return inner_.Create(id, random); });
  }
  Result<Secret> PrepareNext(std::string_view id, Random& random) override {
    return Around([&] { return inner_.PrepareNext(id, random); });
  }
  Result<void> CommitNext(std::string_view id) override {
    return Around([&] { return inner_.CommitNext(id); });
  }
  Result<void> StoreGeneration(std::string_view id, std::uint64_t generation) override {
    return Around([&] { return inner_.StoreGeneration(id, generation); });
  }

 private:
  bool Stops() {
    if (left_ > 0) --left_;
    if (left_ > 0) return false;
    if (by_ == By::kDeath) _exit(9);
    return true;
  }
  template <class Call>
  auto Around(Call call) -> decltype(call()) {
    if (Stops()) return Unavailable("interrupted before");
    auto result = call();
    if (Stops()) return Unavailable("interrupted after");
    return result;
  }

  RootKeySource& inner_;
  int left_;
  const By by_;
};

inline const RecordId kOpenAi{RecordKind::kProviderKey, "openai", ""};
inline const RecordId kAlice{RecordKind::kProviderKey, "openai", "alice"};
inline const RecordId kCsrf{RecordKind::kInternal, "csrf", ""};

class VaultFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/nd-vault-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    path_ = directory_ + "/state/secrets.enc";
    roots_ = RootKeyFile(keys_directory());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string keys_directory() const { return directory_ + "/config"; }

  Result<std::unique_ptr<Vault>> TryOpen(RootKeySource& roots) { return Vault::Open(path_, roots, clock_, random_); }
  Result<std::unique_ptr<Vault>> TryOpen() { return TryOpen(*roots_); }
  // A failed opening fails the test, with its reason.
  std::unique_ptr<Vault> Open(RootKeySource& roots) {
    auto vault = TryOpen(roots);
    if (!vault.ok()) {
      ADD_FAILURE() << vault.error().public_text << " " << vault.error().detail;
      return nullptr;
    }
    return *std::move(vault);
  }
  std::unique_ptr<Vault> Open() { return Open(*roots_); }

  static std::string Get(Vault& vault, const RecordId& id) {
    const auto secret = vault.Expose(id);
    return secret.ok() ? std::string(secret->ExposeSecret()) : "(" + std::string(secret.error().code) + ")";
  }
  static void Put(Vault& vault, const RecordId& id, std::string_view secret, std::string_view label = "label") {
    const auto put = vault.Put(id, label, Secret(secret));
    EXPECT_TRUE(put.ok()) << put.error().public_text << put.error().detail;
  }

  std::string FileBytes() const {
    auto bytes = ReadTextFile(path_, kMaxFileSize + 1);
    EXPECT_TRUE(bytes.ok());
    return bytes.ok() ? *std::move(bytes) : std::string();
  }
  // Not durably: thousands of damaged files need no fsync.
  void WriteFileBytes(std::string_view bytes) const {
    UniqueFd fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    EXPECT_TRUE(fd && WriteAll(fd.get(), bytes).ok());
  }
  std::string KeyPath(std::string_view vault_id, std::string_view ending) const {
    return keys_directory() + "/" + std::string(vault_id) + std::string(ending);
  }

  std::string directory_, path_;
  ManualClock clock_{WallTime(std::chrono::seconds(1'795'507'200))};
  CountingRandom random_;
  std::unique_ptr<RootKeySource> roots_;
};

}  // namespace nd::vault
