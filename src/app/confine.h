// What the front and the keeper give up for good before they serve: files that are not theirs (Landlock) and system calls that
// only an intruder would need (seccomp), so that code running in a taken-over front still cannot open the root key.
//
// For the start of a process, while it has one thread. Sources: landlock(7), seccomp(2).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nd::app {

struct AllowedFiles {
  std::vector<std::string> read;   // files, or folders with all beneath; what is missing is passed over
  std::vector<std::string> write;  // folders whose contents may be read, made, changed and removed
};

// Landlock: nothing outside `allowed` can be opened, and nothing at all executed. Returns the ABI version in force, 0 if this
// kernel has no Landlock: the caller says so and goes on. kInternal if the kernel has it but refuses.
Result<int> ConfineFiles(const AllowedFiles& allowed);

// seccomp: no execve, no tracing or reading of other processes, no mounts, namespaces, kernel modules, BPF, keyrings, io_uring;
// such a call fails with EPERM. kInternal if the filter cannot be installed.
Result<void> ForbidSystemCalls();

// Both, in this order, with a warning if the kernel has no Landlock. Returns the level for the status page, e.g.
// "landlock 7, seccomp".
Result<std::string> Confine(const AllowedFiles& allowed);

// What every process needs to read: the system's libraries and settings, and its own entry in /proc.
std::vector<std::string> SystemFiles();

}  // namespace nd::app
