// What the program's exit code says (docs/cli.md). Scripts and service managers rely on these four.
#pragma once

#include <string>

#include "base/result.h"

namespace nd::app {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,         // asked for correctly, did not work out
  kUsage = 2,          // a flag, variable or file entry that cannot be understood
  kRefusedUnsafe = 3,  // understood, and refused because it would not be safe
};

// The code under which a command ends that failed with `error`: an operation that lacks safe ground (kForbidden) is
// refused as unsafe, everything else has failed.
ExitCode ExitCodeOf(const Error& error);

// "neuraldeck: " and what happened, what to do next, and the operator's detail, on standard error.
void PrintError(const Error& error);

// What is printed for `error`, without program name or newline.
std::string DescribeError(const Error& error);

}  // namespace nd::app
