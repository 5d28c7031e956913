#include "keeper/upstream_pool.h"

namespace nd::keeper {

ConnectionPool::ConnectionPool(net::Loop& loop, const Clock& clock) : clock_(clock), timer_(loop.executor()) {}

ConnectionPool::~ConnectionPool() {
  for (const Idle& idle : idle_) idle.connection->Close();
}

std::shared_ptr<Connection> ConnectionPool::Take() {
  Sweep();
  while (!idle_.empty()) {
    const std::shared_ptr<Connection> connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->QuietAndOpen()) return connection;
    connection->Close();
  }
  return nullptr;
}

void ConnectionPool::Give(std::shared_ptr<Connection> connection) {
  if (idle_.size() >= kMaxIdle) {
    idle_.front().connection->Close();
    idle_.pop_front();
  }
  idle_.push_back({std::move(connection), clock_.Steady()});
  ScheduleSweep();
}

void ConnectionPool::Sweep() {
  const SteadyTime now = clock_.Steady();
  while (!idle_.empty() && now - idle_.front().since >= kMaxIdleTime) {
    idle_.front().connection->Close();
    idle_.pop_front();
  }
}

void ConnectionPool::ScheduleSweep() {
  if (scheduled_ || idle_.empty()) return;
  scheduled_ = true;
  timer_.expires_after(kMaxIdleTime);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](net::error_code ec) {
    if (ec || alive.expired()) return;
    scheduled_ = false;
    Sweep();
    ScheduleSweep();
  });
}

}  // namespace nd::keeper
