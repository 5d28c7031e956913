// `neuraldeck config show`: every setting, its value and where it came from.
#pragma once

#include <string>

#include "app/cli.h"
#include "app/environment.h"
#include "app/options.h"

namespace nd::app {

// What is in force. Of the secrets it tells only whether they are given.
std::string RenderConfig(const Values& values, const Options& options, const EnvironmentSecrets& secrets,
                         OutputStyle style);

}  // namespace nd::app
