// Connections to one provider that wait for the next request.
//
// Loop thread only. Bounded in number and age.
#pragma once

#include <chrono>
#include <deque>
#include <memory>

#include "base/clock.h"
#include "keeper/upstream_connection.h"

namespace nd::keeper {

class ConnectionPool {
 public:
  static constexpr std::size_t kMaxIdle = 32;
  static constexpr std::chrono::seconds kMaxIdleTime{60};

  ConnectionPool(net::Loop& loop, const Clock& clock);
  ~ConnectionPool();

  // The connection used last that still looks alive, or nullptr.
  std::shared_ptr<Connection> Take();
  // Precondition: nothing is pending on it and its last answer was read whole.
  void Give(std::shared_ptr<Connection> connection);
  std::size_t size() const { return idle_.size(); }
  // Closes what has waited too long. Runs by itself as well.
  void Sweep();

 private:
  struct Idle {
    std::shared_ptr<Connection> connection;
    SteadyTime since;
  };
  void ScheduleSweep();

  const Clock& clock_;
  std::deque<Idle> idle_;  // oldest first
  net::Timer timer_;
  bool scheduled_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace nd::keeper
