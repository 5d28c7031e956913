#include "app/front.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/redirect_error.hpp>

#include "app/process.h"
#include "app/state_folder.h"
#include "app/vault_access.h"
#include "base/log.h"
#include "base/text.h"
#include "session/sqlite_store.h"

namespace nd::app {

namespace {
constexpr std::size_t kPasswordQueue = 64;
constexpr std::size_t kStoreThreads = 2;
constexpr std::size_t kStoreQueue = 1'024;
constexpr std::size_t kLeastMetricsToken = 16;

Error CannotListen(const net::error_code& ec, const std::string& url) {
  if (ec == net::asio::error::address_in_use) {
    return Conflict("Another process is listening on " + url + ". Stop it, or choose another --port.");
  }
  if (ec == net::asio::error::access_denied) {
    return Unavailable("This user may not listen on " + url + ". Choose a --port above 1023.");
  }
  return Unavailable("The deck cannot listen on " + url + ". Check --host and --port.", ec.message());
}

// A socket that holds `endpoint` (with a free port for port 0) until the listeners have it. A plain bind comes first:
// it fails if another process listens there, with which SO_REUSEPORT alone would share the port in silence.
Result<net::TcpAcceptor> ReservePort(net::Loop& loop, net::asio::ip::tcp::endpoint endpoint, const std::string& url) {
  using ReusePort = net::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  net::error_code ec;
  if (endpoint.port() != 0) {
    net::TcpAcceptor probe(loop.executor());
    probe.open(endpoint.protocol(), ec);
    if (!ec) probe.set_option(net::asio::socket_base::reuse_address(true), ec);
    if (!ec) probe.bind(endpoint, ec);
    if (ec) return CannotListen(ec, url);
  }
  net::TcpAcceptor holder(loop.executor());
  holder.open(endpoint.protocol(), ec);
  if (!ec) holder.set_option(net::asio::socket_base::reuse_address(true), ec);
  if (!ec) holder.set_option(ReusePort(true), ec);
  if (!ec) holder.bind(endpoint, ec);
  if (ec) return CannotListen(ec, url);
  return holder;
}

// Databases, logs, channels and the system's own files need descriptors too, whatever clients do.
constexpr std::size_t kReservedDescriptors = 128;

std::size_t ConnectionsForDescriptors() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur > 2 * kReservedDescriptors ? limit.rlim_cur - kReservedDescriptors : limit.rlim_cur / 2;
}

std::vector<std::string> ListenHosts(const Options& options) {
  const std::string literal = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  std::vector<std::string> hosts = {literal};
  // Whoever reaches a loopback or wildcard listener from this machine may use the usual names for it.
  const bool wildcard = options.host == "0.0.0.0" || options.host == "::";
  if (!options.loopback_only() && !wildcard) return hosts;
  for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (literal != name) hosts.emplace_back(name);
  }
  return hosts;
}

Result<std::string> ReadMetricsToken(const std::string& path) {
  if (path.empty()) return std::string();
  ND_TRY(RequirePrivateFile(path));
  ND_ASSIGN(const Secret content, ReadSecretFile(path, 4'096));
  std::string token(TrimSpace(content.ExposeSecret()));
  if (token.size() < kLeastMetricsToken) {
    return Forbidden("The token in " + path + " has fewer than 16 characters. Make one with: openssl rand -hex 32");
  }
  return token;
}
}  // namespace

Front::Front(const Options& options, Secret jwt_secret, std::vector<UniqueFd> channels, std::string confinement)
    : options_(options),
      jwt_secret_(std::move(jwt_secret)),
      jwt_by_hand_(!jwt_secret_.empty()),
      confinement_(std::move(confinement)) {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    loops_.push_back(std::make_unique<net::Loop>(i));
    keepers_.push_back(keeper::Client::Create(*loops_[i], std::move(channels[i])));
  }
}

Front::~Front() = default;

ExitCode Front::Run() {
  RaiseDescriptorLimit();
  net::asio::co_spawn(loops_[0]->executor(), StartUp(), [this](const std::exception_ptr& exception) {
    if (!exception) return;
    // Out of threads or memory at the start: half a deck helps nobody.
    LogError("the front could not start: out of threads or memory");
    code_ = ExitCode::kFailed;
    for (const auto& loop : loops_) loop->Stop();
  });
  loops_[0]->Run();
  for (std::thread& thread : threads_) thread.join();
  TakeDown();
  return code_;
}

net::Task<> Front::StartUp() {
  const auto started = co_await StartParts();
  if (started.ok()) co_return;
  PrintError(started.error());
  code_ = ExitCodeOf(started.error());
  for (const auto& loop : loops_) loop->Stop();
}

net::Task<Result<void>> Front::StartParts() {
  stop_signal_ = std::make_unique<StopSignal>(*loops_[0], [this] { Stop(); });
  bool lost = false;
  keepers_[0]->OnLost([&lost] { lost = true; });
  auto secrets = co_await keepers_[0]->GetFrontSecrets();
  keepers_[0]->OnLost([] { LogError("the keeper is gone: keys and models cannot be used"); });
  // A keeper that refused has said why, and the supervisor is about to stop this process. One that is there but cannot
  // answer ends the start.
  if (lost) co_return Result<void>();
  if (!secrets.ok()) co_return std::move(secrets).error();
  ND_CO_TRY(OpenStores(*std::move(secrets)));
  ND_CO_TRY(Listen());
  ND_CO_TRY(StartControl());
  ND_CO_TRY(Announce());

  for (std::size_t i = 1; i < loops_.size(); ++i) threads_.emplace_back([this, i] { loops_[i]->Run(); });
  minute_ = std::make_unique<net::Timer>(loops_[0]->executor());
  net::asio::co_spawn(loops_[0]->executor(), SweepEveryMinute(), net::asio::detached);
  co_return Result<void>();
}

Result<void> Front::OpenStores(keeper::FrontSecrets secrets) {
  const StateFolder folder(options_.data_dir);
  ND_ASSIGN(auto store, session::OpenSqliteStore(folder.database()));
  const std::string deck_id = secrets.deck_id;
  session::Keys keys = SessionKeysOf(std::move(secrets), jwt_secret_);
  jwt_secret_ = Secret();
  ND_ASSIGN(sessions_, session::Sessions::Open(std::move(store), std::move(keys), SessionOptionsOf(options_, deck_id),
                                               session::PasswordCost{}, clock_, random_));
  audit::Options audit_options;
  audit_options.directory = folder.audit();
  audit_options.retention_days = options_.audit_retention_days;
  audit_options.least = options_.audit_sync ? audit::Durability::kSync : audit::Durability::kWrite;
  ND_ASSIGN(audit_, audit::Log::Open(std::move(audit_options), clock_));
  password_worker_ = std::make_unique<Worker>(1, kPasswordQueue);
  store_worker_ = std::make_unique<Worker>(kStoreThreads, kStoreQueue);
  return {};
}

Result<server::Config> Front::DeckConfig() const {
  server::Config config;
  config.version = ND_VERSION;
  config.workspace = options_.workspace;
  config.port = port_;
  config.public_origins = options_.public_origins;
  config.cors_origins = options_.cors_origins;
  config.trusted_proxies = options_.trusted_proxies;
  config.csp_mode = options_.csp_mode;
  config.csp_report_uri = options_.csp_report_uri;
  config.listen_hosts = ListenHosts(options_);
  config.cookie_label = options_.cookie_label;
  config.confinement = confinement_;
  config.audit_directory = StateFolder(options_.data_dir).audit();
  ND_ASSIGN(config.metrics_token, ReadMetricsToken(options_.metrics_token_file));
  return config;
}

Result<void> Front::Listen() {
  limits_.connections_per_address = options_.connections_per_address;
  limits_.connections_total = std::min(options_.connections_total, ConnectionsForDescriptors());
  if (limits_.connections_total < options_.connections_total) {
    LogWarning("connections are limited to " + std::to_string(limits_.connections_total) +
               " by the limit of open files (ulimit -n, LimitNOFILE=)");
  }
  connections_ = std::make_unique<http::ConnectionTable>(limits_);

  net::asio::ip::tcp::endpoint endpoint(net::asio::ip::make_address(options_.host), options_.port);
  ND_ASSIGN(const net::TcpAcceptor reserved, ReservePort(*loops_[0], endpoint, options_.ListenUrl(options_.port)));
  port_ = reserved.local_endpoint().port();
  endpoint.port(port_);

  server::World world{*sessions_, *audit_, {}, *password_worker_, *store_worker_, *connections_, clock_, random_};
  for (const auto& keeper : keepers_) world.keepers.push_back(keeper.get());
  ND_ASSIGN(server::Config config, DeckConfig());
  deck_ = std::make_unique<server::Deck>(std::move(config), std::move(world));
  for (const auto& loop : loops_) {
    servers_.push_back(std::make_unique<http::Server>(*loop, *deck_, limits_, *connections_, clock_, random_));
    ND_TRY(servers_.back()->Listen(endpoint, true));
  }
  servers_running_ = servers_.size();
  return {};
}

Result<void> Front::StartControl() {
  admin_audit_ = std::make_unique<server::AuditTrail>(*audit_, 1);
  admin_world_ = std::make_unique<AdminWorld>(AdminWorld{
      *loops_[0], *sessions_, *admin_audit_, *keepers_[0], *password_worker_, *store_worker_, options_.session_expiry,
      jwt_by_hand_ ? AdminWorld::JwtKey::kByHand : AdminWorld::JwtKey::kFromVault, options_.BrowserUrl(port_)});
  ND_ASSIGN(control_, ControlServer::Start(*admin_world_, StateFolder(options_.data_dir).control_socket()));
  return {};
}

Result<void> Front::Announce() {
  std::string text = "NeuralDeck listening on " + options_.ListenUrl(port_) + "\n";
  if (!sessions_->HasUsers()) {
    ND_ASSIGN(const std::string token, sessions_->IssueSetupToken());
    text += "There is no user yet. Make the first administrator here (valid 15 minutes, single use):\n  " +
            options_.BrowserUrl(port_) + "/setup#token=" + token + "\n";
  }
  // Nobody may be reading; that is no reason not to serve.
  (void)WriteAll(STDOUT_FILENO, text);
  return {};
}

net::Task<> Front::SweepEveryMinute() {
  for (;;) {
    minute_->expires_after(std::chrono::minutes(1));
    net::error_code ec;
    co_await minute_->async_wait(net::asio::redirect_error(net::kAwait, ec));
    if (ec || stopping_) co_return;
    // A full queue skips one round; the next comes in a minute.
    (void)store_worker_->Submit([sessions = sessions_.get()] { sessions->Sweep(); });
  }
}

void Front::Stop() {
  if (stopping_) return;
  stopping_ = true;
  if (minute_) minute_->cancel();
  if (control_) control_->Stop();
  if (threads_.size() + 1 != loops_.size() || servers_running_ == 0) {
    for (const auto& loop : loops_) loop->Stop();
    return;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    loops_[i]->Post([this, i] {
      servers_[i]->StopGracefully(kStopPatience, [this] { loops_[0]->Post([this] { OnServerStopped(); }); });
    });
  }
}

void Front::OnServerStopped() {
  if (--servers_running_ > 0) return;
  for (const auto& loop : loops_) loop->Stop();
}

void Front::PollLoops() {
  for (const auto& loop : loops_) {
    loop->context().restart();
    loop->context().poll();
  }
}

void Front::TakeDown() {
  control_.reset();
  servers_.clear();
  // What is queued runs to its end. From here on everything refuses, but it is all still there: coroutines that wait for any
  // of it learn that it is over, write down how their act ended, and end.
  if (password_worker_) password_worker_->Stop();
  if (store_worker_) store_worker_->Stop();
  for (const auto& keeper : keepers_) keeper->Close();
  PollLoops();
  if (deck_) deck_->CloseAudit();
  if (admin_audit_) admin_audit_->Close();
  // The last records, and that the log ends here; then those who waited for them.
  audit_.reset();
  PollLoops();
}

}  // namespace nd::app
