#include "app/keeper_process.h"

#include <sys/resource.h>

#include "app/confine.h"
#include "app/stop_signal.h"
#include "app/vault_access.h"
#include "base/log.h"
#include "crypto/init.h"
#include "keeper/keeper.h"

namespace nd::app {

namespace {
// The crypto room locks its keys into memory if it may, and goes on if it may not: with core dumps and debugging off,
// what is lost is only that a key might reach the swap.
void WarnIfMemoryCannotBeLocked() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < 256 * 1024) {
    LogWarning(
        "keys may reach the swap, since this process may lock little memory; raise the limit (ulimit -l, "
        "LimitMEMLOCK=)");
  }
}

Result<void> Serve(const Options& options, Secret root_key, std::vector<UniqueFd> channels) {
  ND_TRY(InitCrypto());
  WarnIfMemoryCannotBeLocked();
  AllowedFiles allowed{SystemFiles(), {options.data_dir}};
  if (!options.provider_ca_file.empty()) allowed.read.push_back(options.provider_ca_file);
  if (root_key.empty() && !options.root_key_dir.empty()) {
    ND_TRY(EnsurePrivateDirectory(options.root_key_dir));
    allowed.write.push_back(options.root_key_dir);
  }
  ND_ASSIGN(const std::string level, Confine(allowed));
  LogInfo("confined: " + level);
  const SystemClock clock;
  SystemRandom random;
  ND_ASSIGN(const OpenVault opened, OpenVaultOf(options, root_key, clock, random));
  root_key = Secret();

  net::Loop loop(0);
  ND_ASSIGN(keeper::KeeperOptions keeper_options, KeeperOptionsOf(options));
  ND_ASSIGN(auto keeper, keeper::Keeper::Create(loop, *opened.vault, std::move(keeper_options), clock, random));
  for (UniqueFd& channel : channels) keeper->AddChannel(std::move(channel));
  StopSignal stop(loop, [&loop] { loop.Stop(); });
  // A front that is gone is the supervisor's affair; the keeper just waits to be told.
  loop.Run();

  // Calls that still run are cancelled; their coroutines end on the loop.
  keeper.reset();
  loop.context().restart();
  loop.context().poll();
  return {};
}
}  // namespace

ExitCode RunKeeper(const Options& options, Secret root_key, std::vector<UniqueFd> channels) {
  const auto served = Serve(options, std::move(root_key), std::move(channels));
  if (served.ok()) return ExitCode::kOk;
  PrintError(served.error());
  return ExitCodeOf(served.error());
}

}  // namespace nd::app
