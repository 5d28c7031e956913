// Files of the state folder: owned descriptors, bounded reads, and writes that are whole or absent after any crash.
//
// Thread-safe. Not for workspace files, whose paths are hostile (see the workspace room).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/secret.h"

namespace nd {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

// Makes `path` (and missing parents) with mode 0700. If it exists it must be a directory of ours that group and others
// cannot write: anything else is kForbidden, naming the chmod or chown to run.
Result<void> EnsurePrivateDirectory(const std::string& path);

// Reads a whole file of at most `max_size` bytes. kNotFound, kTooLarge, kUnavailable (permission), kInternal.
Result<Secret> ReadSecretFile(const std::string& path, std::size_t max_size);
Result<std::string> ReadTextFile(const std::string& path, std::size_t max_size);

// kForbidden unless `path` is a regular file of ours that group and others can neither read nor write.
Result<void> RequirePrivateFile(const std::string& path);

// Replaces `path` by `bytes`: a temporary file beside it (mode 0600), fsync, rename, fsync of the directory. After a crash
// at any instant the old or the new content is there, whole. kUnavailable if the disk is full or failing.
Result<void> ReplaceFileDurably(const std::string& path, std::string_view bytes);

// Creates `path` durably (mode 0600); kConflict if it exists already.
Result<void> CreateFileDurably(const std::string& path, std::string_view bytes);

// Writes all of `bytes` to `fd`, going on after EINTR and short writes.
Result<void> WriteAll(int fd, std::string_view bytes);

// An exclusive lock that lives as long as the object, on an open file description: it is gone when the holder dies,
// however it dies. kConflict if another process holds it.
class FileLock {
 public:
  static Result<FileLock> Acquire(const std::string& path);

  // For a child that shall keep the lock: a forked copy of the descriptor holds it too.
  int descriptor() const { return fd_.get(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace nd
