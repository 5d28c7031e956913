// Readies the cryptographic libraries. Called once at the start of each process, before any other thread.
#pragma once

#include "base/result.h"

namespace nd {

// Idempotent. kInternal if libsodium cannot start (no source of randomness).
Result<void> InitCrypto();

}  // namespace nd
