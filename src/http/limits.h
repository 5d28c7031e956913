// Every number of the HTTP server in one place (docs/protocol/http.md repeats them). Each has a test at its edge.
#pragma once

#include <chrono>
#include <cstddef>

namespace nd::http {

struct Limits {
  // Request line and header fields together, bytes; 431 beyond. Room for one session token and cookies.
  std::size_t header_bytes = 16 * 1024;
  // Number of header fields; 431 beyond.
  std::size_t header_fields = 64;
  // Request target, bytes; 414 beyond.
  std::size_t target_bytes = 4 * 1024;
  // From the first byte of a request to its last header byte; 408 beyond.
  std::chrono::milliseconds header_time{5'000};
  // A body must arrive at this rate on average after a grace of body_grace; 408 beyond. Stops slow senders.
  std::size_t body_bytes_per_second = 1'024;
  std::chrono::milliseconds body_grace{5'000};
  // Keep-alive connection without a request.
  std::chrono::milliseconds idle_time{75'000};
  // An answer that a client does not read: connection closed when no byte was taken for this long.
  std::chrono::milliseconds send_time{30'000};
  // After an answer that closes the connection: how long input is read and dropped so that the client gets to read the
  // answer instead of a reset.
  std::chrono::milliseconds linger_time{2'000};
  // Bytes queued to one slow client of a streamed answer before the producer is made to wait.
  std::size_t send_buffer = 256 * 1024;
  // Pipelined requests handled ahead of unsent answers, by bytes of unsent output.
  std::size_t pipeline_output = 256 * 1024;
  // A refused body of at most this size is read and dropped so that the connection can be kept; else it is closed.
  std::size_t drain_bytes = 64 * 1024;
  // Chunk extensions and trailers, bytes; 400 beyond.
  std::size_t chunk_overhead = 4 * 1024;
  // Open connections per address (/64 for IPv6) and in total over all loops.
  std::size_t connections_per_address = 1'024;
  std::size_t connections_total = 16'384;
};

}  // namespace nd::http
