#include "app/front_process.h"

#include "app/front.h"
#include "crypto/init.h"

namespace nd::app {

ExitCode RunFront(const Options& options, Secret jwt_secret, std::vector<UniqueFd> channels) {
  if (const auto ready = InitCrypto(); !ready.ok()) {
    PrintError(ready.error());
    return ExitCode::kFailed;
  }
  return Front(options, std::move(jwt_secret), std::move(channels)).Run();
}

}  // namespace nd::app
