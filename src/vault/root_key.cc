#include "vault/root_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

#include "base/files.h"
#include "base/text.h"

namespace nd::vault {

namespace {
constexpr std::size_t kRootKeySize = 32;
constexpr std::size_t kMaxKeyFileSize = 128;

class FileSource final : public RootKeySource {
 public:
  explicit FileSource(std::string directory) : directory_(std::move(directory)) {}

  std::string_view name() const override { return "file"; }
  bool can_rotate() const override { return true; }

  Result<Secret> Load(std::string_view vault_id) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".key"));
    return ReadKey(path);
  }

  Result<Secret> LoadNext(std::string_view vault_id) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".key.next"));
    return ReadKey(path);
  }

  Result<Secret> Create(std::string_view vault_id, Random& random) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".key"));
    return CreateKey(path, random);
  }

  Result<Secret> PrepareNext(std::string_view vault_id, Random& random) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".key.next"));
    // A key that is there already may be the one the vault file is sealed by: it is never replaced.
    auto existing = ReadKey(path);
    if (existing.ok() || existing.error().kind != ErrorKind::kNotFound) return existing;
    return CreateKey(path, random);
  }

  Result<void> CommitNext(std::string_view vault_id) override {
    ND_ASSIGN(const std::string next, PathOf(vault_id, ".key.next"));
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".key"));
    // Never puts something in place of a key that is not a key itself.
    if (auto key = ReadKey(next); !key.ok()) return std::move(key).error();
    // A crash while a key was made can have left a second name of it; the old key shall not live on under that.
    for (const std::string& leftover : {path + ".new", next + ".new"}) {
      if (unlink(leftover.c_str()) != 0 && errno != ENOENT) return Failed("unlink " + leftover, errno);
    }
    if (std::rename(next.c_str(), path.c_str()) != 0) return Failed("rename " + next, errno);
    UniqueFd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || fsync(directory.get()) != 0) return Failed("fsync " + directory_, errno);
    return {};
  }

  Result<std::optional<std::uint64_t>> LoadGeneration(std::string_view vault_id) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".generation"));
    auto text = ReadTextFile(path, 32);
    if (!text.ok() && text.error().kind == ErrorKind::kNotFound) return std::optional<std::uint64_t>();
    if (!text.ok()) return std::move(text).error();
    ND_TRY(RequirePrivateFile(path));
    std::uint64_t generation = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, generation);
    if (failure != std::errc() || std::string_view(stop, end) != "\n") {
      return InvalidInput("The vault's generation file is damaged.",
                          path + " holds no number; if the vault file is known to be the newest, delete it");
    }
    return std::optional(generation);
  }

  Result<void> StoreGeneration(std::string_view vault_id, std::uint64_t generation) override {
    ND_ASSIGN(const std::string path, PathOf(vault_id, ".generation"));
    ND_TRY(EnsurePrivateDirectory(directory_));
    return ReplaceFileDurably(path, std::to_string(generation) + "\n");
  }

 private:
  static Error Failed(const std::string& what, int error_number) {
    return Unavailable("The root key's directory does not take changes at the moment.",
                       InternalErrno(what, error_number).detail);
  }

  Result<std::string> PathOf(std::string_view vault_id, std::string_view ending) const {
    if (directory_.empty()) {
      return InvalidInput("There is no place for the root key.", "neither XDG_CONFIG_HOME nor HOME is set");
    }
    if (!IsName(vault_id, 64)) return Internal("a vault id that cannot be a file name");
    return directory_ + "/" + std::string(vault_id) + std::string(ending);
  }

  static Result<Secret> ReadKey(const std::string& path) {
    ND_ASSIGN(const Secret text, ReadSecretFile(path, kMaxKeyFileSize));
    ND_TRY(RequirePrivateFile(path));
    std::string_view line = text.ExposeSecret();
    if (line.ends_with('\n')) line.remove_suffix(1);
    auto key = DecodeRootKey(line);
    if (!key.ok()) return std::move(key).error().At(path);
    return key;
  }

  Result<Secret> CreateKey(const std::string& path, Random& random) const {
    ND_TRY(EnsurePrivateDirectory(directory_));
    Secret key = RandomSecret(random, kRootKeySize);
    std::string line = EncodeBase64Url(key.ExposeSecret()) + "\n";
    auto created = CreateFileDurably(path, line);
    WipeMemory(line.data(), line.size());
    if (!created.ok()) return std::move(created).error();
    return key;
  }

  const std::string directory_;
};

class EnvironmentSource final : public RootKeySource {
 public:
  explicit EnvironmentSource(Secret key) : key_(std::move(key)) {}

  std::string_view name() const override { return "environment"; }
  bool can_rotate() const override { return false; }

  Result<Secret> Load(std::string_view) override {
    if (key_.size() == kRootKeySize) return key_.Clone();
    return DecodeRootKey(key_.ExposeSecret());
  }
  Result<Secret> LoadNext(std::string_view) override { return NotFound("There is no next root key."); }
  Result<Secret> Create(std::string_view, Random&) override { return Fixed(); }
  Result<Secret> PrepareNext(std::string_view, Random&) override { return Fixed(); }
  Result<void> CommitNext(std::string_view) override { return Fixed(); }
  Result<std::optional<std::uint64_t>> LoadGeneration(std::string_view) override {
    return std::optional<std::uint64_t>();
  }
  Result<void> StoreGeneration(std::string_view, std::uint64_t) override { return {}; }

 private:
  static Error Fixed() {
    return Forbidden("A root key from the environment is not the deck's to change.", "NEURALDECK_ROOT_KEY");
  }
  const Secret key_;
};
}  // namespace

std::unique_ptr<RootKeySource> RootKeyFile(std::string directory) {
  return std::make_unique<FileSource>(std::move(directory));
}

std::unique_ptr<RootKeySource> RootKeyFromEnvironment(Secret key) {
  return std::make_unique<EnvironmentSource>(std::move(key));
}

Result<Secret> DecodeRootKey(std::string_view text) {
  std::optional<std::string> bytes;
  if (text.size() == 2 * kRootKeySize) bytes = DecodeHex(text);
  if (text.size() == 43) bytes = DecodeBase64Url(text);
  if (!bytes || bytes->size() != kRootKeySize) {
    return InvalidInput("The root key must be 32 bytes, written as 64 hex or 43 base64url characters.");
  }
  Secret key(*bytes);
  WipeMemory(bytes->data(), bytes->size());
  return key;
}

}  // namespace nd::vault
