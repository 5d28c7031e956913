// `neuraldeck init`: a state folder with the right modes and a commented configuration file.
#pragma once

#include "app/cli.h"
#include "app/exit_code.h"
#include "app/options.h"

namespace nd::app {

// Does not touch a configuration file that is there already.
ExitCode RunInit(const InitFolder& init, OutputStyle style, const Options& options);

// Every setting as a commented line with its help; with `first_deployment` one of them set.
std::string ConfigTemplate(const InitFolder& init);

}  // namespace nd::app
