#include "app/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/files.h"
#include "base/log.h"

namespace nd::app {

namespace {
// Rights by the ABI that brought them; Debian 12's header ends at the second.
constexpr std::uint64_t kTruncate = 1ULL << 14;  // ABI 3
constexpr std::uint64_t kIoctlDev = 1ULL << 15;  // ABI 5
constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadFolder = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kAllOfAbi1 = (1ULL << 13) - 1;
constexpr std::uint64_t kNeverGranted =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | kIoctlDev;

std::uint64_t HandledRights(int abi) {
  std::uint64_t rights = kAllOfAbi1;
  if (abi >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) rights |= kTruncate;
  if (abi >= 5) rights |= kIoctlDev;
  return rights;
}

Result<void> Allow(int ruleset, const std::string& path, std::uint64_t folder_rights, std::uint64_t file_rights) {
  const UniqueFd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return errno == ENOENT || errno == EACCES ? Result<void>() : InternalErrno("open " + path, errno);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return InternalErrno("fstat " + path, errno);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(info.st_mode) ? folder_rights : file_rights;
  rule.parent_fd = fd.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return InternalErrno("landlock_add_rule for " + path, errno);
  }
  return {};
}

// By name, so that a call this libseccomp does not know on this processor is simply left out.
constexpr const char* kForbiddenCalls[] = {
    "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "mount", "umount2", "move_mount",
    "open_tree", "fsopen", "fsmount", "fsconfig", "fspick", "pivot_root", "chroot", "unshare", "setns", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "add_key", "request_key", "keyctl", "open_by_handle_at", "swapon", "swapoff", "reboot",
    "acct", "quotactl", "settimeofday", "clock_settime", "personality", "iopl", "ioperm"};
}  // namespace

Result<int> ConfineFiles(const AllowedFiles& allowed) {
  const auto abi = static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (abi < 0) {
    if (errno == ENOSYS || errno == EOPNOTSUPP) return 0;
    return InternalErrno("landlock_create_ruleset", errno);
  }
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = HandledRights(abi);
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset) return InternalErrno("landlock_create_ruleset", errno);
  const std::uint64_t all = attributes.handled_access_fs & ~kNeverGranted;
  for (const std::string& path : allowed.read) ND_TRY(Allow(ruleset.get(), path, kReadFolder, kReadFile));
  for (const std::string& path : allowed.write) {
    ND_TRY(Allow(ruleset.get(), path, all, all & (kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate)));
  }
  // no_new_privs is set already (HardenProcess); without it the kernel refuses.
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return InternalErrno("landlock_restrict_self", errno);
  return abi;
}

Result<void> ForbidSystemCalls() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return Internal("seccomp_init failed");
  int failure = 0;
  for (const char* name : kForbiddenCalls) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || failure != 0) continue;
    failure = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
  }
  if (failure == 0) failure = seccomp_load(filter);
  seccomp_release(filter);
  if (failure != 0) return InternalErrno("seccomp", -failure);
  return {};
}

Result<std::string> Confine(const AllowedFiles& allowed) {
  ND_ASSIGN(const int abi, ConfineFiles(allowed));
  ND_TRY(ForbidSystemCalls());
  if (abi == 0) {
    LogWarning("this kernel has no Landlock: only seccomp confines this process; a kernel from 5.13 on with it enabled does better");
    return std::string("seccomp");
  }
  return "landlock " + std::to_string(abi) + ", seccomp";
}

std::vector<std::string> SystemFiles() {
  return {"/usr", "/lib", "/lib64", "/etc", "/dev/null", "/dev/urandom", "/run/systemd/resolve", "/run/resolvconf", "/proc/self"};
}

}  // namespace nd::app
