// The running server's ear for the command line: a local socket in the state folder, for this user and root alone.
//
// Loop thread only. One request and one answer for each connection; see admin_codec.h. Not for programs: they use HTTP.
#pragma once

#include <memory>
#include <string>

#include "app/admin_acts.h"
#include "base/result.h"

namespace nd::app {

class ControlServer {
 public:
  static constexpr std::size_t kMaxConnections = 16;
  // For the whole request line to arrive, and for the answer to be taken.
  static constexpr std::chrono::seconds kPatience{10};

  // Listens at `path` (0600), in place of a socket that an earlier server left there: the caller holds the state
  // folder's lock. `world` outlives the server.
  static Result<std::unique_ptr<ControlServer>> Start(AdminWorld& world, const std::string& path);
  ~ControlServer();

  // Takes no more connections and removes the socket; acts under way go on.
  void Stop();

 private:
  class Impl;
  explicit ControlServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nd::app
