// NeuralDeck: one program, and what it can be asked to do.

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/data_command.h"
#include "app/doctor.h"
#include "app/environment.h"
#include "app/init_folder.h"
#include "app/options.h"
#include "app/process.h"
#include "app/serve.h"
#include "app/settings.h"
#include "app/show_config.h"
#include "base/files.h"
#include "base/log.h"

namespace nd::app {
namespace {

ExitCode Fail(const Error& error, ExitCode code) {
  PrintError(error);
  return code;
}

ExitCode Run(const std::vector<std::string>& arguments, EnvironmentSecrets secrets) {
  auto parsed = ParseCommandLine(arguments);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return *code;
  Invocation& asked = std::get<Invocation>(parsed);

  const Environment environment = ReadEnvironment();
  for (const std::string& name : UnknownVariables(environment))
    LogWarning(name + " is set, but there is no such setting");
  const auto values = ResolveSettings(asked.flags, environment);
  if (!values.ok()) {
    return Fail(values.error(),
                values.error().kind == ErrorKind::kForbidden ? ExitCode::kRefusedUnsafe : ExitCode::kUsage);
  }
  const auto options = BuildOptions(*values, environment);
  if (!options.ok()) return Fail(options.error(), ExitCode::kUsage);

  if (std::holds_alternative<Serve>(asked.request)) return RunServe(*options, std::move(secrets));
  if (std::holds_alternative<RunDoctor>(asked.request)) return RunTheDoctor(*options, std::move(secrets), asked.style);
  if (std::holds_alternative<ShowConfig>(asked.request)) {
    return WriteAll(STDOUT_FILENO, RenderConfig(*values, *options, secrets, asked.style)).ok() ? ExitCode::kOk
                                                                                               : ExitCode::kFailed;
  }
  if (const auto safe = CheckPlaces(*options, secrets); !safe.ok()) return Fail(safe.error(), ExitCode::kRefusedUnsafe);
  if (const auto* init = std::get_if<InitFolder>(&asked.request)) return RunInit(*init, asked.style, *options);
  return RunAdminRequest(std::get<AdminRequest>(std::move(asked.request)), asked.style, *options, std::move(secrets));
}

}  // namespace
}  // namespace nd::app

int main(int argc, char** argv) {
  // Before anything else: until here the kernel shows the secrets to whoever may read /proc/PID/environ.
  nd::app::EnvironmentSecrets secrets = nd::app::TakeEnvironmentSecrets();
  nd::app::HardenProcess();
  return static_cast<int>(nd::app::Run({argv + std::min(argc, 1), argv + argc}, std::move(secrets)));
}
