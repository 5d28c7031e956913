// Rotation and first start, stopped at every step: by an error, and by the death of the process.
#include <sys/wait.h>

#include "vault/vault.h"
#include "vault/vault_fixture.h"

namespace nd::vault {
namespace {

class VaultRotation : public VaultFixture {
 protected:
  void Fill() {
    const auto vault = Open();
    ASSERT_TRUE(vault);
    vault_id_ = vault->status().vault_id;
    old_root_key_id_ = vault->status().root_key_id;
    Put(*vault, kOpenAi, "everyone's");
    Put(*vault, kAlice, "alice's");
  }

  // Everything is there under one root key, no half rotation is left, and the vault takes changes.
  void ExpectWhole() {
    {
      const auto vault = Open();
      ASSERT_TRUE(vault);
      EXPECT_EQ(Get(*vault, kOpenAi), "everyone's");
      EXPECT_EQ(Get(*vault, kAlice), "alice's");
      EXPECT_EQ(vault->status().vault_id, vault_id_);
      EXPECT_FALSE(std::filesystem::exists(KeyPath(vault_id_, ".key.next"))) << "the rotation was not finished";
      Put(*vault, kCsrf, "new");
      EXPECT_TRUE(vault->Remove(kCsrf).ok());
    }
    const auto again = Open();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->status().records, 2U);
    EXPECT_TRUE(again->status().unreadable.empty());
  }

  // The state folder and the keys as they are now, to be brought back before each attempt.
  void Save() { Copy(directory_ + "/state", "/saved-state"), Copy(keys_directory(), "/saved-config"); }
  void Restore() { Copy(directory_ + "/saved-state", "/state"), Copy(directory_ + "/saved-config", "/config"); }

  std::string vault_id_, old_root_key_id_;

 private:
  void Copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(directory_ + to);
    std::filesystem::copy(from, directory_ + to, std::filesystem::copy_options::recursive);
  }
};

TEST_F(VaultRotation, ReplacesRootKeyDataKeysAndNonces) {
  Fill();
  const std::string before = FileBytes();
  const std::string old_key = *ReadTextFile(KeyPath(vault_id_, ".key"), 100);
  const auto vault = Open();
  const auto status = vault->Rotate();
  ASSERT_TRUE(status.ok());
  EXPECT_NE(status->root_key_id, old_root_key_id_);
  EXPECT_EQ(status->generation, 4U);
  EXPECT_NE(*ReadTextFile(KeyPath(vault_id_, ".key"), 100), old_key);
  const auto old_records = *ParseRecords(before, *ParseHeader(before));
  const std::string after = FileBytes();
  const auto new_records = *ParseRecords(after, *ParseHeader(after));
  for (std::size_t i = 0; i < old_records.size(); ++i) {
    EXPECT_NE(old_records[i].wrapped_key, new_records[i].wrapped_key);
    EXPECT_NE(old_records[i].nonce, new_records[i].nonce);
    EXPECT_NE(old_records[i].body, new_records[i].body);
    EXPECT_EQ(old_records[i].version, new_records[i].version) << "the secret itself did not change";
    EXPECT_EQ(old_records[i].updated_at, new_records[i].updated_at);
  }
  EXPECT_EQ(Get(*vault, kAlice), "alice's");
  ExpectWhole();
}

TEST_F(VaultRotation, CanBeDoneAgainAndAgain) {
  Fill();
  const auto vault = Open();
  std::string last = old_root_key_id_;
  for (int i = 0; i < 3; ++i) {
    const auto status = vault->Rotate();
    ASSERT_TRUE(status.ok());
    EXPECT_NE(status->root_key_id, last);
    last = status->root_key_id;
  }
  ExpectWhole();
}

TEST_F(VaultRotation, UnderAKeyGivenByHandMakesNewDataKeysOnly) {
  const auto roots = RootKeyFromEnvironment(Secret(std::string(32, 'e')));
  const auto vault = Open(*roots);
  Put(*vault, kAlice, "alice's");
  const std::string before = FileBytes();
  const std::string id = vault->status().root_key_id;
  const auto status = vault->Rotate();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->root_key_id, id);
  const std::string after = FileBytes();
  EXPECT_NE((*ParseRecords(before, *ParseHeader(before)))[0].body, (*ParseRecords(after, *ParseHeader(after)))[0].body);
  EXPECT_EQ(Get(*Open(*roots), kAlice), "alice's");
}

TEST_F(VaultRotation, StoppedByAnErrorAtAnyStepIsFinishedAtTheNextOpening) {
  Fill();
  Save();
  int steps = 0;
  for (bool stopped = true; stopped; ++steps) {
    SCOPED_TRACE(steps);
    Restore();
    InterruptedSource roots(*roots_, steps + 1);
    {
      const auto vault = Open(roots);
      ASSERT_TRUE(vault);
      const auto rotated = vault->Rotate();
      stopped = roots.stopped();
      EXPECT_EQ(rotated.ok(), !stopped);
      // Whatever happened, the running vault still gives every secret.
      EXPECT_EQ(Get(*vault, kOpenAi), "everyone's");
      EXPECT_EQ(Get(*vault, kAlice), "alice's");
    }
    ExpectWhole();
    EXPECT_EQ(Open()->status().root_key_id == old_root_key_id_, steps == 0);
  }
  EXPECT_EQ(steps, 7) << "before and after each of PrepareNext, StoreGeneration, CommitNext, and one whole";
}

TEST_F(VaultRotation, StoppedByDeathAtAnyStepIsFinishedAtTheNextOpening) {
  Fill();
  Save();
  for (int step = 1; step <= 6; ++step) {
    SCOPED_TRACE(step);
    Restore();
    const pid_t child = fork();
    if (child == 0) {
      InterruptedSource roots(*roots_, step, InterruptedSource::By::kDeath);
      auto vault = TryOpen(roots);
      if (vault.ok()) (void)(*vault)->Rotate();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_EQ(WEXITSTATUS(status), 9);
    ExpectWhole();
  }
}

TEST_F(VaultRotation, TheFinishingItselfMayBeStoppedAtAnyStep) {
  Fill();
  // Stopped after PrepareNext: the next opening does the whole rotation. Stopped after the file: it does the rest.
  for (const int first_stop : {2, 3, 4, 5}) {
    Save();
    for (int step = 1; step <= 6; ++step) {
      SCOPED_TRACE(testing::Message() << first_stop << ", " << step);
      Restore();
      InterruptedSource first(*roots_, first_stop);
      EXPECT_FALSE(Open(first)->Rotate().ok());
      InterruptedSource second(*roots_, step);
      EXPECT_TRUE(Open(second)) << "a rotation that cannot be finished must not keep the vault closed";
      ExpectWhole();
    }
    Restore();
  }
}

TEST_F(VaultRotation, TriedAgainAfterAnErrorUsesThePreparedKey) {
  Fill();
  InterruptedSource roots(*roots_, 2);  // after PrepareNext
  const auto vault = Open(roots);
  EXPECT_FALSE(vault->Rotate().ok());
  const std::string prepared = *ReadTextFile(KeyPath(vault_id_, ".key.next"), 100);
  Put(*Open(), kCsrf, "x");  // another opening finishes it
  EXPECT_EQ(*ReadTextFile(KeyPath(vault_id_, ".key"), 100), prepared);
}

TEST_F(VaultRotation, ADamagedNextKeyDoesNotLockTheVault) {
  Fill();
  ASSERT_TRUE(CreateFileDurably(KeyPath(vault_id_, ".key.next"), "garbage\n").ok());
  const auto vault = Open();
  ASSERT_TRUE(vault);
  EXPECT_EQ(Get(*vault, kAlice), "alice's");
  const auto rotated = vault->Rotate();
  ASSERT_FALSE(rotated.ok());
  EXPECT_NE(rotated.error().detail.find(".key.next"), std::string::npos);
  EXPECT_EQ(vault->status().root_key_id, old_root_key_id_);
}

TEST_F(VaultRotation, AnOldFileDoesNotOpenAfterwards) {
  Fill();
  const std::string old = FileBytes();
  ASSERT_TRUE(Open()->Rotate().ok());
  WriteFileBytes(old);
  EXPECT_NE(TryOpen().error().detail.find("root key " + old_root_key_id_), std::string::npos);
}

TEST_F(VaultRotation, AChangeStoppedAtAnyStepIsWholeOrAbsent) {
  Fill();
  Save();
  for (int step = 1; step <= 2; ++step) {
    Restore();
    InterruptedSource roots(*roots_, step);
    EXPECT_FALSE(Open(roots)->Put(kAlice, "", Secret("changed")).ok());
    const auto vault = Open();
    ASSERT_TRUE(vault);
    EXPECT_EQ(Get(*vault, kAlice), "changed") << "the file was on disk before the counter";
    Put(*vault, kAlice, "alice's");
    ExpectWhole();
  }
}

TEST_F(VaultRotation, AFirstStartStoppedAtAnyStepCanBeDoneAgain) {
  for (int step = 1; step <= 4; ++step) {
    SCOPED_TRACE(step);
    std::filesystem::remove_all(directory_ + "/state");
    InterruptedSource roots(*roots_, step);
    EXPECT_FALSE(TryOpen(roots).ok());
    const auto vault = Open();
    ASSERT_TRUE(vault);
    Put(*vault, kAlice, "x");
    EXPECT_EQ(Get(*Open(), kAlice), "x");
  }
}

}  // namespace
}  // namespace nd::vault
