// The keeper's end of one channel: reads the front's messages, answers them, and owns the calls it started.
//
// Loop thread only. Trusts the front with nothing but what it may ask for: every bound is checked, and the first breach
// of the protocol closes the channel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "ipc/channel.h"
#include "keeper/front_secrets.h"
#include "keeper/key_store.h"
#include "keeper/provider_call.h"

namespace nd::keeper {

class FrontChannel {
 public:
  static constexpr std::size_t kMaxCalls = 512;
  static constexpr std::size_t kMaxTests = 16;
  static constexpr std::size_t kMaxWaitingBodies = 64 * 1024 * 1024;

  FrontChannel(std::shared_ptr<Upstream> upstream, KeyStore& keys, FrontSecretStore& secrets, UniqueFd fd);
  // Cancels every call.
  ~FrontChannel();

  // `on_closed` is called once; the channel may be destroyed in it.
  void Start(std::function<void()> on_closed);

 private:
  // A call whose body is still on its way, or that runs.
  struct Pending {
    CallStartMessage request;
    std::string body;
  };

  Result<void> OnFrame(const ipc::Frame& frame);
  Result<void> OnRequest(const ipc::Frame& frame);
  Result<void> OnCallStart(const ipc::Frame& frame);
  Result<void> OnCallBody(const ipc::Frame& frame);
  Result<void> OnTestKey(const ipc::Frame& frame);
  void Launch(std::uint64_t id, Pending pending);
  void End(std::uint64_t id);

  void Send(std::uint64_t id, Message type, std::string_view payload);
  void Reply(std::uint64_t id, const ipc::Bytes& payload);
  void Fail(std::uint64_t id, const Error& error);
  template <class T>
  void Answer(std::uint64_t id, Result<T> result);
  // The provider, or kNotFound.
  Result<Upstream::Provider*> Provider(std::string_view name);

  std::shared_ptr<Upstream> upstream_;
  KeyStore& keys_;
  FrontSecretStore& secrets_;
  ipc::Channel channel_;
  std::function<void()> on_closed_;
  std::uint64_t last_id_ = 0;
  std::size_t waiting_bodies_ = 0;  // bytes announced and not yet handed to a call
  std::size_t tests_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::uint64_t, std::shared_ptr<ProviderCall>> calls_;
  std::shared_ptr<FrontChannel*> self_ = std::make_shared<FrontChannel*>(this);  // for coroutines that may outlive it
};

}  // namespace nd::keeper
