#include "app/process.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"

namespace nd::app {

namespace {
[[noreturn]] void EndUnprotected(const char* what) {
  LogError(std::string("this process cannot be protected: ") + what + " was refused by the system");
  _exit(1);
}

// Closes the descriptors from `first` to `last`, both included.
void CloseRange(unsigned first, unsigned last) {
  if (first > last) return;
  if (close_range(first, last, 0) != 0) EndUnprotected("close_range");
}
}  // namespace

void HardenProcess() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) EndUnprotected("open of /dev/null");
  }
  umask(077);
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) EndUnprotected("setrlimit");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) EndUnprotected("no_new_privs");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) EndUnprotected("PR_SET_DUMPABLE");
  signal(SIGPIPE, SIG_IGN);
}

void BecomeChild(pid_t parent, int signal_at_parents_end, std::string_view name,
                 const std::vector<int>& kept_descriptors) {
  if (prctl(PR_SET_PDEATHSIG, signal_at_parents_end, 0, 0, 0) != 0) EndUnprotected("PR_SET_PDEATHSIG");
  // The parent may have gone before the line above.
  if (getppid() != parent) _exit(1);
  prctl(PR_SET_NAME, std::string(name).c_str(), 0, 0, 0);
  SetLogProcess(name);
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);

  std::vector<int> kept = kept_descriptors;
  std::sort(kept.begin(), kept.end());
  unsigned next = 3;
  for (const int fd : kept) {
    if (fd < static_cast<int>(next)) continue;
    if (static_cast<unsigned>(fd) > next) CloseRange(next, static_cast<unsigned>(fd) - 1);
    next = static_cast<unsigned>(fd) + 1;
  }
  CloseRange(next, ~0U);
}

void RaiseDescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t UsableCpus() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&cpus)));
}

std::string UserName(uid_t uid) {
  struct passwd entry;
  struct passwd* found = nullptr;
  char buffer[16 * 1024];
  if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return entry.pw_name;
  return "uid-" + std::to_string(uid);
}

}  // namespace nd::app
