#include "app/serve.h"

#include <sys/stat.h>

#include "app/front_process.h"
#include "app/keeper_process.h"
#include "app/process.h"
#include "app/state_folder.h"
#include "app/supervisor.h"
#include "base/clock.h"
#include "base/log.h"

namespace nd::app {

namespace {
Result<FileLock> Prepare(const Options& options, const EnvironmentSecrets& secrets) {
  ND_TRY(CheckSafeToServe(options, secrets));
  struct stat info;
  if (stat(options.workspace.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return NotFound("The workspace " + options.workspace +
                    " is not a folder. Make it, or name another with --workspace.");
  }
  const StateFolder folder(options.data_dir);
  ND_TRY(folder.Prepare());
  return folder.Lock();
}

std::string_view WhyNoRestart(const EnvironmentSecrets& secrets) {
  if (!secrets.root_key.empty()) return "its root key was given by hand, and only the process that ended had it";
  if (!secrets.jwt_secret.empty()) return "its JWT_SECRET was given by hand, and only the process that ended had it";
  return {};
}
}  // namespace

ExitCode RunServe(const Options& options, EnvironmentSecrets secrets) {
  SetLogProcess("nd-supervisor");
  const auto lock = Prepare(options, secrets);
  if (!lock.ok()) {
    PrintError(lock.error());
    return ExitCodeOf(lock.error());
  }
  const SystemClock clock;
  SupervisorPlan plan;
  plan.channels = options.loops != 0 ? options.loops : UsableCpus();
  plan.no_restart_reason = WhyNoRestart(secrets);
  // While a child lives the folder is not free, even if the supervisor was killed.
  plan.inherited = {lock->descriptor()};
  // Each child forgets the secret that is the other's before it does anything else.
  plan.keeper = [&options, &secrets](std::vector<UniqueFd> channels) {
    secrets.jwt_secret = Secret();
    return RunKeeper(options, std::move(secrets.root_key), std::move(channels));
  };
  plan.front = [&options, &secrets](std::vector<UniqueFd> channels) {
    secrets.root_key = Secret();
    return RunFront(options, std::move(secrets.jwt_secret), std::move(channels));
  };
  plan.forget_secrets = [&secrets] { secrets = {}; };
  return Supervisor(std::move(plan), clock).Run();
}

}  // namespace nd::app
