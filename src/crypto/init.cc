#include "crypto/init.h"

#include <sodium.h>

namespace nd {

Result<void> InitCrypto() {
  if (sodium_init() < 0) return Internal("sodium_init failed");
  return {};
}

}  // namespace nd
