#include "keeper/keeper.h"

#include <set>

#include "base/log.h"
#include "keeper/front_channel.h"

namespace nd::keeper {

class Keeper::Impl {
 public:
  Impl(std::shared_ptr<Upstream> upstream, vault::Vault& vault, std::chrono::milliseconds use_flush_interval,
       const Clock& clock, Random& random)
      : upstream_(std::move(upstream)),
        keys_(vault),
        secrets_(vault, clock, random),
        use_flush_interval_(use_flush_interval),
        use_timer_(upstream_->loop().executor()) {
    WaitToFlushUse();
  }
  ~Impl() { FlushUse(); }

  void AddChannel(UniqueFd fd) {
    channels_.push_back(std::make_unique<FrontChannel>(upstream_, keys_, secrets_, std::move(fd)));
    const auto place = std::prev(channels_.end());
    (*place)->Start([this, place] {
      channels_.erase(place);
      if (channels_.empty() && on_alone_) on_alone_();
    });
  }

  void OnAlone(std::function<void()> on_alone) { on_alone_ = std::move(on_alone); }

 private:
  void FlushUse() {
    if (const auto flushed = keys_.FlushUse(); !flushed.ok()) {
      LogWarning("keeper: when keys were last used could not be written: " + flushed.error().detail);
    }
  }
  void WaitToFlushUse() {
    use_timer_.expires_after(use_flush_interval_);
    use_timer_.async_wait([self = std::weak_ptr(self_)](net::error_code) {
      const auto impl = self.lock();
      if (impl == nullptr) return;
      (*impl)->FlushUse();
      (*impl)->WaitToFlushUse();
    });
  }

  std::shared_ptr<Upstream> upstream_;
  KeyStore keys_;
  FrontSecretStore secrets_;
  std::list<std::unique_ptr<FrontChannel>> channels_;
  std::function<void()> on_alone_;
  const std::chrono::milliseconds use_flush_interval_;
  net::Timer use_timer_;
  const std::shared_ptr<Impl*> self_ = std::make_shared<Impl*>(this);
};

Result<std::unique_ptr<Keeper>> Keeper::Create(net::Loop& loop, vault::Vault& vault, KeeperOptions options,
                                               const Clock& clock, Random& random) {
  std::set<std::string> names;
  for (const ProviderConfig& provider : options.providers) {
    if (!names.insert(provider.name).second) {
      return InvalidInput("--provider " + provider.name + " is given twice. Give each provider a name of its own.");
    }
  }
  ND_ASSIGN(auto tls, MakeTlsContext(options.ca_file));
  auto upstream =
      std::make_shared<Upstream>(loop, clock, std::move(options.providers), std::move(tls), options.timeouts);
  return std::unique_ptr<Keeper>(new Keeper(std::make_unique<Impl>(std::move(upstream), vault, options.use_flush_interval, clock, random)));
}

Keeper::Keeper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keeper::~Keeper() = default;
void Keeper::AddChannel(UniqueFd fd) { impl_->AddChannel(std::move(fd)); }
void Keeper::OnAlone(std::function<void()> on_alone) { impl_->OnAlone(std::move(on_alone)); }

}  // namespace nd::keeper
