// What every process of the deck does to itself before it touches anything of value, and how one is made from another.
//
// For the start of a process, while it has one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace nd::app {

// No core dump, no debugger of the same user, no /proc view for others, no new privileges by exec, files of ours for us
// alone, and descriptors 0 to 2 open so that no file of ours takes their place. Ends the process if the kernel refuses.
void HardenProcess();

// For a process just forked: it ends with its parent (`signal_at_parents_end`), is named in process lists and logs,
// leaves Ctrl-C to the supervisor, and keeps of the inherited descriptors only 0 to 2 and those listed. `name` has
// static storage and at most 15 characters. Ends the process if the parent has gone already.
void BecomeChild(pid_t parent, int signal_at_parents_end, std::string_view name,
                 const std::vector<int>& kept_descriptors);

// Raises the limit of open descriptors as far as the system allows.
void RaiseDescriptorLimit();

// CPUs that this process may use, at least 1.
std::size_t UsableCpus();

// The login name of `uid`, or "uid-<number>".
std::string UserName(uid_t uid);

}  // namespace nd::app
