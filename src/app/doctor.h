// `neuraldeck doctor`: looks at this installation and says of each finding what to do. For people, and for CI by exit
// code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cli.h"
#include "app/environment.h"
#include "app/exit_code.h"
#include "app/options.h"
#include "base/clock.h"

namespace nd::app {

enum class Verdict : std::uint8_t { kPass, kInfo, kWarn, kFail };

struct Finding {
  Verdict verdict = Verdict::kPass;
  std::string_view check;  // static storage, e.g. "vault"
  std::string text;        // what was found, and what to do about it
};

// kOk unless something failed. Changes nothing, except that opening the vault leaves its lock file behind.
ExitCode RunTheDoctor(const Options& options, EnvironmentSecrets secrets, OutputStyle style);

// The checks, by subject; each adds at least one finding. doctor_checks.cc
void CheckFolder(const Options& options, std::vector<Finding>& findings);
void CheckRootKey(const Options& options, const EnvironmentSecrets& secrets, std::vector<Finding>& findings);
void CheckClock(const Options& options, const Clock& clock, std::vector<Finding>& findings);
void CheckSettings(const Options& options, const EnvironmentSecrets& secrets, std::vector<Finding>& findings);
void CheckKernel(std::vector<Finding>& findings);

}  // namespace nd::app
