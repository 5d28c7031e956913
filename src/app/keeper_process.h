// The keeper's process: opens the vault, then serves the front until told to stop.
#pragma once

#include <vector>

#include "app/exit_code.h"
#include "app/options.h"
#include "base/files.h"
#include "base/secret.h"

namespace nd::app {

// Runs in a process of its own with SIGTERM blocked; prints why it refuses. `root_key` is empty if its file is to be
// used.
ExitCode RunKeeper(const Options& options, Secret root_key, std::vector<UniqueFd> channels);

}  // namespace nd::app
