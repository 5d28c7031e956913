#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nd {

namespace {
// The kind a failed open or write has for the caller.
Error FromErrno(std::string_view what, const std::string& path, int error_number) {
  const std::string detail = std::string(what) + " " + path + ": " + std::strerror(error_number);
  switch (error_number) {
    case ENOENT:
      return NotFound("No such file.", detail);
    case EACCES:
    case EPERM:
      return Unavailable(
          "The deck may not use a file or folder that it needs. Give it to the user that runs the deck, or name another "
          "place (--data-dir, --root-key-dir).",
          detail);
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EROFS:
      return Unavailable("The server's disk does not take writes at the moment.", detail);
    default:
      return Internal(detail);
  }
}

std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> SyncDirectory(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return FromErrno("open", path, errno);
  if (fsync(fd.get()) != 0) return FromErrno("fsync", path, errno);
  return {};
}

// A new file under a name where a crash may have left one. The old one is unlinked, not truncated: a crash of
// CreateFileDurably can leave it as a second name of the very file that is about to be replaced.
Result<UniqueFd> OpenTemporary(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FromErrno("unlink", path, errno);
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return FromErrno("open", path, errno);
  return fd;
}

Result<void> RequireOurs(const std::string& path, const struct stat& info, mode_t forbidden_bits) {
  if (info.st_uid != geteuid()) {
    return Forbidden("A file of the state folder belongs to another user.",
                     path + " belongs to uid " + std::to_string(info.st_uid) + "; run: chown " +
                         std::to_string(geteuid()) + " " + path);
  }
  if ((info.st_mode & forbidden_bits) != 0) {
    return Forbidden("A file of the state folder is open to other users.",
                     path + " is open to other users; run: chmod go-rwx " + path);
  }
  return {};
}
}  // namespace

void UniqueFd::Reset() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Result<void> EnsurePrivateDirectory(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (!S_ISDIR(info.st_mode)) return Forbidden("A path of the state folder is not a directory.", path);
    return RequireOurs(path, info, S_IWGRP | S_IWOTH);
  }
  if (errno != ENOENT) return FromErrno("stat", path, errno);
  const std::string parent = DirectoryOf(path);
  if (parent != path && parent != "." && access(parent.c_str(), F_OK) != 0) ND_TRY(EnsurePrivateDirectory(parent));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return FromErrno("mkdir", path, errno);
  return SyncDirectory(parent);
}

Result<Secret> ReadSecretFile(const std::string& path, std::size_t max_size) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return FromErrno("open", path, errno);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return FromErrno("fstat", path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidInput("Not a regular file.", path);
  if (static_cast<std::size_t>(info.st_size) > max_size) {
    return TooLarge(
        "The file is larger than allowed.",
        path + " has " + std::to_string(info.st_size) + " bytes, at most " + std::to_string(max_size) + " are allowed");
  }
  Secret content = Secret::OfSize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = read(fd.get(), content.Mutable().data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno("read", path, errno);
    if (got == 0) return Internal(path + " became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

Result<std::string> ReadTextFile(const std::string& path, std::size_t max_size) {
  ND_ASSIGN(const Secret content, ReadSecretFile(path, max_size));
  return std::string(content.ExposeSecret());
}

Result<void> RequirePrivateFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return FromErrno("stat", path, errno);
  if (!S_ISREG(info.st_mode)) return Forbidden("A file of the state folder is not a regular file.", path);
  return RequireOurs(path, info, S_IRWXG | S_IRWXO);
}

Result<void> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return FromErrno("write", "", errno);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

namespace {
// Writes and syncs `temporary`, lets `place` give it its name, and syncs the directory. Leaves nothing behind on failure.
template <class Place>
Result<void> WriteThenPlace(const std::string& path, std::string_view bytes, Place place) {
  const std::string temporary = path + ".new";
  const auto write_and_place = [&]() -> Result<void> {
    ND_ASSIGN(const UniqueFd fd, OpenTemporary(temporary));
    if (auto written = WriteAll(fd.get(), bytes); !written.ok()) return std::move(written).error().At(temporary);
    if (fsync(fd.get()) != 0) return FromErrno("fsync", temporary, errno);
    return place(temporary);
  };
  if (auto placed = write_and_place(); !placed.ok()) {
    unlink(temporary.c_str());
    return placed;
  }
  return SyncDirectory(DirectoryOf(path));
}
}  // namespace

Result<void> ReplaceFileDurably(const std::string& path, std::string_view bytes) {
  return WriteThenPlace(path, bytes, [&](const std::string& temporary) -> Result<void> {
    if (rename(temporary.c_str(), path.c_str()) != 0) return FromErrno("rename", temporary, errno);
    return {};
  });
}

Result<void> CreateFileDurably(const std::string& path, std::string_view bytes) {
  return WriteThenPlace(path, bytes, [&](const std::string& temporary) -> Result<void> {
    // link(2) refuses an existing name, so a file that appeared meanwhile is never overwritten.
    if (link(temporary.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) return Conflict("The file exists already.", path);
      return FromErrno("link", path, errno);
    }
    unlink(temporary.c_str());
    return {};
  });
}

Result<FileLock> FileLock::Acquire(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return FromErrno("open", path, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Conflict("Another process is using this state folder.", path + " is locked");
    return FromErrno("flock", path, errno);
  }
  return FileLock(std::move(fd));
}

}  // namespace nd
