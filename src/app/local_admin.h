// Carries the acts out while no server runs: holds the state folder's lock, and opens vault and sessions itself, and the
// audit log at the first act that records.
#pragma once

#include <memory>
#include <string>

#include "app/admin.h"
#include "app/environment.h"
#include "app/options.h"
#include "base/clock.h"
#include "base/random.h"
#include "session/sessions.h"

namespace nd::app {

// `actor` is who stands in the audit log. kConflict while somebody else holds the lock; see also OpenVaultOf.
// Everything given outlives the admin.
Result<std::unique_ptr<Admin>> OpenLocally(const Options& options, EnvironmentSecrets secrets, std::string actor,
                                           session::PasswordCost cost, const Clock& clock, Random& random);

}  // namespace nd::app
