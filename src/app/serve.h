// `neuraldeck serve`: everything that must be so before the deck's processes are made, and their making.
#pragma once

#include "app/environment.h"
#include "app/exit_code.h"
#include "app/options.h"

namespace nd::app {

// Returns when the deck has ended.
ExitCode RunServe(const Options& options, EnvironmentSecrets secrets);

}  // namespace nd::app
