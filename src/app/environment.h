// The process's environment: its secrets taken out and erased first thing, the rest as a plain map.
//
// Used once, by main, before any other thread exists. Not for reading the environment later: everything that needs a
// variable gets it from here through its constructor.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secret.h"

namespace nd::app {

// Variables by name. Never holds a secret.
using Environment = std::map<std::string, std::string, std::less<>>;

// Given by hand, and only this way: a flag would stand in the process list, a configuration file in backups.
struct EnvironmentSecrets {
  Secret jwt_secret;  // JWT_SECRET or NEURALDECK_JWT_SECRET (which wins); empty if neither is set
  Secret root_key;    // NEURALDECK_ROOT_KEY, as text; empty if not set

  EnvironmentSecrets Clone() const { return {jwt_secret.Clone(), root_key.Clone()}; }
};

// Takes the secrets out of `environ`: their bytes in the block that the kernel shows as /proc/PID/environ are
// overwritten and the variables removed, so that neither this process nor any child shows them.
EnvironmentSecrets TakeEnvironmentSecrets();

// A copy of what is left.
Environment ReadEnvironment();

}  // namespace nd::app
