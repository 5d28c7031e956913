#include "app/front_process.h"

#include "app/confine.h"
#include "app/front.h"
#include "app/state_folder.h"
#include "crypto/init.h"

namespace nd::app {

ExitCode RunFront(const Options& options, Secret jwt_secret, std::vector<UniqueFd> channels) {
  if (const auto ready = InitCrypto(); !ready.ok()) {
    PrintError(ready.error());
    return ExitCode::kFailed;
  }
  const StateFolder folder(options.data_dir);
  AllowedFiles allowed{SystemFiles(), {folder.state(), folder.audit()}};
  if (!options.metrics_token_file.empty()) allowed.read.push_back(options.metrics_token_file);
  const auto level = Confine(allowed);
  if (!level.ok()) {
    PrintError(level.error());
    return ExitCode::kFailed;
  }
  return Front(options, std::move(jwt_secret), std::move(channels), *level).Run();
}

}  // namespace nd::app
