// What the connections of one Server share: the world given to the server, the pools, and the list of connections.
// Outlives the Server while a connection's coroutine is still unwinding. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "http/bytes.h"
#include "http/exchange.h"
#include "http/intake.h"
#include "http/limits.h"
#include "http/request_ids.h"
#include "http/response_writer.h"
#include "http/server.h"

namespace nd::http {

class Connection;

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(net::Loop& loop, Application& application, const Limits& limits, ConnectionTable& table, const Clock& clock,
       Random& random);

  net::Loop& loop() const { return loop_; }
  Application& application() const { return application_; }
  const Limits& limits() const { return limits_; }
  const Clock& clock() const { return clock_; }
  RequestIds& ids() { return ids_; }
  DateCache& dates() { return dates_; }
  bool stopping() const { return stopping_; }

  // Counts the peer and starts serving; a peer beyond its share is closed at once.
  void Adopt(net::TcpSocket socket, const boost::asio::ip::address& peer);
  // Called by a connection when it ends, once.
  void Leave(Connection& connection);

  // Sweeps by itself from now on, until CloseAll.
  void StartSweeping();
  // See Server.
  void Sweep();
  void BeginStop(std::chrono::milliseconds patience, std::function<void()> done);
  // Ends every connection and cuts its ties to the world given to the server.
  void CloseAll();

  // Pools: what an active connection holds and an idle one gives back.
  std::unique_ptr<Intake> TakeIntake();
  void GiveBack(std::unique_ptr<Intake> intake);
  Bytes TakeOutput();
  void GiveBack(Bytes output);
  // Room for input that nobody will look at.
  std::span<char> scratch();

 private:
  void FinishStopIfDone();
  void ScheduleSweep();

  net::Loop& loop_;
  Application& application_;
  const Limits limits_;
  ConnectionTable& table_;
  const Clock& clock_;
  RequestIds ids_;
  DateCache dates_;
  Connection* first_ = nullptr;
  net::Timer sweep_timer_;
  bool stopping_ = false;
  bool closed_ = false;
  SteadyTime stop_deadline_{};
  std::function<void()> stopped_;
  std::vector<std::unique_ptr<Intake>> intakes_;
  std::vector<Bytes> outputs_;
  std::unique_ptr<char[]> scratch_;
};

}  // namespace nd::http
