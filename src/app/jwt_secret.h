// Whether a JWT_SECRET given by hand may sign session tokens. Pure.
//
// Not a measure of entropy: it refuses what is short, published or visibly not random, since such a secret lets anyone
// forge every session.
#pragma once

#include "base/result.h"
#include "base/secret.h"

namespace nd::app {

inline constexpr std::size_t kLeastJwtSecretSize = 32;  // bytes; RFC 7518 section 3.2

// kForbidden with what to do. The secret is not echoed.
Result<void> CheckJwtSecret(const Secret& secret);

}  // namespace nd::app
