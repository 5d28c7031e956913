#include "keeper/keeper.h"

#include <set>

#include "keeper/front_channel.h"

namespace nd::keeper {

class Keeper::Impl {
 public:
  Impl(std::shared_ptr<Upstream> upstream, vault::Vault& vault, const Clock& clock, Random& random)
      : upstream_(std::move(upstream)), keys_(vault), secrets_(vault, clock, random) {}

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
  std::shared_ptr<Upstream> upstream_;
  KeyStore keys_;
  FrontSecretStore secrets_;
  std::list<std::unique_ptr<FrontChannel>> channels_;
  std::function<void()> on_alone_;
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
  return std::unique_ptr<Keeper>(new Keeper(std::make_unique<Impl>(std::move(upstream), vault, clock, random)));
}

Keeper::Keeper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keeper::~Keeper() = default;
void Keeper::AddChannel(UniqueFd fd) { impl_->AddChannel(std::move(fd)); }
void Keeper::OnAlone(std::function<void()> on_alone) { impl_->OnAlone(std::move(on_alone)); }

}  // namespace nd::keeper
