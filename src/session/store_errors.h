// The refusals that every store gives in the same words.
#pragma once

#include "base/result.h"

namespace nd::session {

Error UserExists();
Error NoSuchUser();
Error NoSuchSession();
Error LastAdmin();
Error SetupIsOver();
Error SetupTokenRefused();
// A compare-and-swap failed: someone else was faster.
Error ChangedMeanwhile();
// The store could not be written; nothing happened. `detail` names the cause for the log.
Error StoreFailed(std::string detail);

}  // namespace nd::session
