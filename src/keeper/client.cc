#include "keeper/client.h"

#include "keeper/client_core.h"

namespace nd::keeper {

namespace {

constexpr std::chrono::seconds kPatience{30};
// The provider is asked meanwhile.
constexpr std::chrono::seconds kTestPatience{90};
// Every record is sealed anew.
constexpr std::chrono::seconds kRotatePatience{120};

// The value a reply's payload stands for, or the error that came instead.
template <class T, class Decode>
Result<T> Decoded(const Result<ipc::Bytes>& answer, Decode decode) {
  if (!answer.ok()) return answer.error();
  auto value = decode(ipc::View(*answer));
  if (!value.ok()) return Internal("keeper: " + value.error().detail);
  return value;
}

class ChannelClient final : public Client {
 public:
  ChannelClient(net::Loop& loop, UniqueFd channel) : core_(std::make_shared<ClientCore>(loop, std::move(channel))) {
    core_->Start();
  }
  ~ChannelClient() override { core_->Shutdown(); }

  net::Task<Result<FrontSecrets>> GetFrontSecrets() override {
    return Ask<FrontSecrets>(core_, Message::kGetFrontSecrets, {}, kPatience, DecodeFrontSecrets);
  }
  net::Task<Result<std::vector<ProviderInfo>>> ListProviders() override {
    return Ask<std::vector<ProviderInfo>>(core_, Message::kListProviders, {}, kPatience, DecodeProviders);
  }
  net::Task<Result<std::vector<KeyInfo>>> ListKeys() override { return ListEveryPage(core_); }
  net::Task<Result<KeyInfo>> PutKey(std::string provider, std::string owner, std::string label, Secret key) override {
    const PutKeyMessage message{std::move(provider), std::move(owner), std::move(label), std::move(key)};
    return Ask<KeyInfo>(core_, Message::kPutKey, Encode(message), kPatience, DecodeKey);
  }
  net::Task<Result<void>> DeleteKey(std::string provider, std::string owner) override {
    const KeyReference message{std::move(provider), std::move(owner)};
    return Ask<void>(core_, Message::kDeleteKey, Encode(message), kPatience, DecodeEmpty);
  }
  net::Task<Result<std::string>> TestKey(std::string provider, std::string user) override {
    const KeyReference message{std::move(provider), std::move(user)};
    return Ask<std::string>(core_, Message::kTestKey, Encode(message), kTestPatience, DecodeText);
  }
  net::Task<Result<VaultStatus>> Status() override {
    return Ask<VaultStatus>(core_, Message::kStatus, {}, kPatience, DecodeStatus);
  }
  net::Task<Result<VaultStatus>> Check() override {
    return Ask<VaultStatus>(core_, Message::kCheck, {}, kRotatePatience, DecodeStatus);
  }
  net::Task<Result<VaultStatus>> Rotate() override {
    return Ask<VaultStatus>(core_, Message::kRotate, {}, kRotatePatience, DecodeStatus);
  }
  net::Task<Result<FrontSecrets>> RotateJwt() override {
    return Ask<FrontSecrets>(core_, Message::kRotateJwt, {}, kPatience, DecodeFrontSecrets);
  }
  std::unique_ptr<Call> Start(CallRequest request) override { return MakeCall(core_, std::move(request)); }
  void Close() override { core_->Shutdown(); }
  void OnLost(std::function<void()> on_lost) override { core_->OnLost(std::move(on_lost)); }

 private:
  static net::Task<Result<std::vector<KeyInfo>>> ListEveryPage(std::shared_ptr<ClientCore> core) {
    std::vector<KeyInfo> keys;
    KeyReference after;
    while (true) {
      auto page = co_await Ask<std::vector<KeyInfo>>(core, Message::kListKeys, Encode(after), kPatience, DecodeKeys);
      if (!page.ok()) co_return std::move(page).error();
      const std::size_t size = page->size();
      for (KeyInfo& key : *page) keys.push_back(std::move(key));
      if (size < kKeysPerPage) co_return keys;
      after = {keys.back().provider, keys.back().owner};
    }
  }

  // Static, with the core as a parameter: the client may die while it waits.
  template <class T, class Decode>
  static net::Task<Result<T>> Ask(std::shared_ptr<ClientCore> core, Message type, ipc::Bytes payload,
                                  std::chrono::milliseconds patience, Decode decode) {
    const auto answer = co_await ClientCore::Ask(std::move(core), type, std::move(payload), patience);
    co_return Decoded<T>(answer, decode);
  }

  std::shared_ptr<ClientCore> core_;
};

}  // namespace

std::unique_ptr<Client> Client::Create(net::Loop& loop, UniqueFd channel) {
  return std::make_unique<ChannelClient>(loop, std::move(channel));
}

}  // namespace nd::keeper
