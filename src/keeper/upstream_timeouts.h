// How long the keeper waits for a provider.
#pragma once

#include <chrono>

namespace nd::keeper {

struct UpstreamTimeouts {
  std::chrono::milliseconds connect{10'000};      // for each of: name resolution, TCP connection, TLS handshake
  std::chrono::milliseconds write{120'000};       // for each 64 KiB of a request
  std::chrono::milliseconds first_byte{300'000};  // models think
  std::chrono::milliseconds idle{120'000};        // between bytes of an answer
};

}  // namespace nd::keeper
