#include "app/local_admin.h"

#include "app/admin_acts.h"
#include "app/state_folder.h"
#include "app/vault_access.h"
#include "audit/log.h"
#include "crypto/init.h"
#include "ipc/channel.h"
#include "session/sqlite_store.h"

namespace nd::app {

namespace {
// A deck without its servers: keeper and front's stores in one thread, on one loop that runs only while an act is done.
class LocalAdmin final : public Admin {
 public:
  LocalAdmin(const Options& options, std::string actor, const Clock& clock, Random& random)
      : options_(options), actor_(std::move(actor)), clock_(clock), random_(random), loop_(0) {}

  ~LocalAdmin() override {
    world_.reset();
    password_worker_.reset();
    store_worker_.reset();
    audit_.reset();
    client_.reset();
    keeper_.reset();
    loop_.context().restart();
    loop_.context().poll();
  }

  Result<void> Open(EnvironmentSecrets secrets, session::PasswordCost cost) {
    ND_TRY(InitCrypto());
    const StateFolder folder(options_.data_dir);
    ND_TRY(folder.Prepare());
    ND_ASSIGN(auto lock, folder.Lock());
    lock_.emplace(std::move(lock));
    ND_TRY(StartKeeper(std::move(secrets.root_key)));

    ND_ASSIGN(keeper::FrontSecrets front, RunToEnd(client_->GetFrontSecrets()));
    const std::string deck_id = front.deck_id;
    ND_ASSIGN(auto store, session::OpenSqliteStore(folder.database()));
    ND_ASSIGN(sessions_, session::Sessions::Open(std::move(store), SessionKeysOf(std::move(front), secrets.jwt_secret),
                                                 SessionOptionsOf(options_, deck_id), cost, clock_, random_));
    audit::Options audit_options;
    audit_options.directory = folder.audit();
    audit_options.role = audit::Role::kCommand;
    ND_ASSIGN(audit_, audit::Log::Open(std::move(audit_options), clock_));
    trail_ = std::make_unique<server::AuditTrail>(*audit_, 1);
    password_worker_ = std::make_unique<Worker>(1, 4);
    store_worker_ = std::make_unique<Worker>(1, 4);
    const auto jwt_key = secrets.jwt_secret.empty() ? AdminWorld::JwtKey::kFromVault : AdminWorld::JwtKey::kByHand;
    world_ = std::make_unique<AdminWorld>(AdminWorld{
        loop_, *sessions_, *trail_, *client_, *password_worker_, *store_worker_, options_.session_expiry, jwt_key, {}});
    return {};
  }

  Result<Secret> Do(AdminAct act) override { return RunToEnd(DoAdminAct(*world_, actor_, std::move(act))); }

 private:
  Result<void> StartKeeper(Secret root_key) {
    ND_ASSIGN(opened_, OpenVaultOf(options_, root_key, clock_, random_));
    ND_ASSIGN(keeper::KeeperOptions keeper_options, KeeperOptionsOf(options_));
    ND_ASSIGN(keeper_, keeper::Keeper::Create(loop_, *opened_.vault, std::move(keeper_options), clock_, random_));
    ND_ASSIGN(auto ends, ipc::MakePair());
    keeper_->AddChannel(std::move(ends.first));
    client_ = keeper::Client::Create(loop_, std::move(ends.second));
    return {};
  }

  // Runs the loop until `task` has its result.
  template <class T>
  Result<T> RunToEnd(net::Task<Result<T>> task) {
    std::optional<Result<T>> result;
    net::asio::co_spawn(
        loop_.executor(),
        [](net::Task<Result<T>> inner, std::optional<Result<T>>& out, net::Loop& loop) -> net::Task<> {
          out.emplace(co_await std::move(inner));
          loop.Stop();
        }(std::move(task), result, loop_),
        net::asio::detached);
    loop_.context().restart();
    loop_.Run();
    return *std::move(result);
  }

  const Options& options_;
  const std::string actor_;
  const Clock& clock_;
  Random& random_;
  std::optional<FileLock> lock_;
  OpenVault opened_;
  net::Loop loop_;
  std::unique_ptr<keeper::Keeper> keeper_;
  std::unique_ptr<keeper::Client> client_;
  std::unique_ptr<session::Sessions> sessions_;
  std::unique_ptr<audit::Log> audit_;
  std::unique_ptr<server::AuditTrail> trail_;
  std::unique_ptr<Worker> password_worker_, store_worker_;
  std::unique_ptr<AdminWorld> world_;
};
}  // namespace

Result<std::unique_ptr<Admin>> OpenLocally(const Options& options, EnvironmentSecrets secrets, std::string actor,
                                           session::PasswordCost cost, const Clock& clock, Random& random) {
  auto admin = std::make_unique<LocalAdmin>(options, std::move(actor), clock, random);
  ND_TRY(admin->Open(std::move(secrets), cost));
  return std::unique_ptr<Admin>(std::move(admin));
}

}  // namespace nd::app
