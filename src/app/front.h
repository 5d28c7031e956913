// The parts of the front's process and the order in which they come and go.
//
// Lives on the main thread, which runs loop 0; the other loops have a thread each.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/admin_acts.h"
#include "app/control_server.h"
#include "app/exit_code.h"
#include "app/options.h"
#include "app/stop_signal.h"
#include "audit/log.h"
#include "base/random.h"
#include "base/worker.h"
#include "http/server.h"
#include "keeper/client.h"
#include "server/deck.h"
#include "session/sessions.h"

namespace nd::app {

class Front {
 public:
  // `confinement` is the level reached, for the status page.
  Front(const Options& options, Secret jwt_secret, std::vector<UniqueFd> channels, std::string confinement);
  ~Front();

  // Starts, serves until SIGTERM, stops in order.
  ExitCode Run();

 private:
  // What stands between a request that has begun and the end of a stop.
  static constexpr std::chrono::seconds kStopPatience{20};

  net::Task<> StartUp();
  net::Task<Result<void>> StartParts();
  Result<void> OpenStores(keeper::FrontSecrets secrets);
  Result<server::Config> DeckConfig() const;
  Result<void> Listen();
  Result<void> StartControl();
  Result<void> Announce();
  net::Task<> SweepEveryMinute();
  void Stop();
  void OnServerStopped();
  void PollLoops();
  void TakeDown();

  const Options& options_;
  Secret jwt_secret_;
  bool jwt_by_hand_ = false;
  std::string confinement_;
  ExitCode code_ = ExitCode::kOk;
  bool stopping_ = false;
  std::size_t servers_running_ = 0;

  // In the order in which each may refer to those before it.
  SystemClock clock_;
  SystemRandom random_;
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::vector<std::unique_ptr<keeper::Client>> keepers_;
  std::unique_ptr<session::Sessions> sessions_;
  std::unique_ptr<audit::Log> audit_;
  std::unique_ptr<Worker> password_worker_, store_worker_;
  http::Limits limits_;
  std::unique_ptr<http::ConnectionTable> connections_;
  std::unique_ptr<server::Deck> deck_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::uint16_t port_ = 0;
  std::unique_ptr<server::AuditTrail> admin_audit_;
  std::unique_ptr<AdminWorld> admin_world_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<StopSignal> stop_signal_;
  std::unique_ptr<net::Timer> minute_;
  std::vector<std::thread> threads_;
};

}  // namespace nd::app
