// The front's process: HTTP, sessions, the audit log, and the control socket of the command line.
#pragma once

#include <vector>

#include "app/exit_code.h"
#include "app/options.h"
#include "base/files.h"
#include "base/secret.h"

namespace nd::app {

// Runs in a process of its own with SIGTERM blocked; prints why it refuses. One channel to the keeper for each event
// loop. `jwt_secret` is empty if the vault's key signs. When it listens it says so on standard output:
//   NeuralDeck listening on http://127.0.0.1:3001
ExitCode RunFront(const Options& options, Secret jwt_secret, std::vector<UniqueFd> channels);

}  // namespace nd::app
