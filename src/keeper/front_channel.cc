#include "keeper/front_channel.h"

#include <exception>

#include "base/log.h"

namespace nd::keeper {

namespace {

// Answers that wait for the front. Calls are bounded by their windows; replies are small and asked for one by one.
constexpr std::size_t kMaxQueued = FrontChannel::kMaxCalls * (kCallWindow + kMaxBodyChunk) + 16 * ipc::kMaxFrame;

Error Breach(std::string_view what) {
  return InvalidInput("A message between the server's processes is malformed.", "ipc: " + std::string(what));
}

Error Busy() {
  return Unavailable("Too many model calls are running. Try again in a moment.", "keeper: call limit of the channel",
                     1);
}

}  // namespace

FrontChannel::FrontChannel(std::shared_ptr<Upstream> upstream, KeyStore& keys, FrontSecretStore& secrets, UniqueFd fd)
    : upstream_(std::move(upstream)),
      keys_(keys),
      secrets_(secrets),
      channel_(upstream_->loop(), std::move(fd), kMaxQueued) {}

FrontChannel::~FrontChannel() {
  for (const auto& [id, call] : calls_) call->Cancel();
}

void FrontChannel::Start(std::function<void()> on_closed) {
  on_closed_ = std::move(on_closed);
  channel_.Start([this](const ipc::Frame& frame) { return OnFrame(frame); },
                 [this](const std::string& why) {
                   LogInfo("a front channel has ended: " + why);
                   const auto done = std::move(on_closed_);
                   done();
                 });
}

void FrontChannel::Send(std::uint64_t id, Message type, std::string_view payload) {
  if (channel_.Send(static_cast<std::uint8_t>(type), id, payload)) return;
  // Every queue is bounded by what was asked for, so this front does not read. It is better lost than half answered:
  // but a reply that is merely too long to frame is that reply's failure alone.
  if (payload.size() > ipc::kMaxPayload && type == Message::kReply) {
    return Fail(id, TooLarge("The answer is too long.", "keeper: a reply is longer than a frame"));
  }
  channel_.Abandon("the front does not read");
}

void FrontChannel::Reply(std::uint64_t id, const ipc::Bytes& payload) { Send(id, Message::kReply, ipc::View(payload)); }

void FrontChannel::Fail(std::uint64_t id, const Error& error) {
  const ipc::Bytes payload = Encode(error);
  Send(id, Message::kError, ipc::View(payload));
}

template <class T>
void FrontChannel::Answer(std::uint64_t id, Result<T> result) {
  if (!result.ok()) return Fail(id, result.error());
  if constexpr (std::is_void_v<T>) {
    Reply(id, {});
  } else {
    Reply(id, Encode(*result));
  }
}

Result<Upstream::Provider*> FrontChannel::Provider(std::string_view name) {
  if (auto* provider = upstream_->Find(name)) return provider;
  return NotFound("No provider of this name is configured. The administrator adds one with --provider NAME=URL.");
}

Result<void> FrontChannel::OnFrame(const ipc::Frame& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kCallBody:
      return OnCallBody(frame);
    case Message::kCallCredit: {
      ND_ASSIGN(const std::uint64_t bytes, DecodeNumber(frame.payload));
      const auto call = calls_.find(frame.call);
      if (call != calls_.end() && !call->second->AddCredit(bytes)) return Breach("credit beyond the window");
      return {};
    }
    case Message::kCallCancel: {
      ND_TRY(DecodeEmpty(frame.payload));
      End(frame.call);
      return {};
    }
    default:
      break;
  }
  // Everything else begins something, under an id that was never used.
  if (frame.call <= last_id_) return Breach("a call id was used twice");
  last_id_ = frame.call;
  return static_cast<Message>(frame.type) == Message::kCallStart ? OnCallStart(frame) : OnRequest(frame);
}

Result<void> FrontChannel::OnRequest(const ipc::Frame& frame) {
  const std::uint64_t id = frame.call;
  switch (static_cast<Message>(frame.type)) {
    case Message::kGetFrontSecrets: {
      ND_TRY(DecodeEmpty(frame.payload));
      Answer(id, secrets_.Load());
      return {};
    }
    case Message::kListProviders: {
      ND_TRY(DecodeEmpty(frame.payload));
      std::vector<ProviderInfo> providers;
      for (const auto& each : upstream_->providers()) providers.push_back({each->config.name, each->config.protocol});
      Reply(id, Encode(providers));
      return {};
    }
    case Message::kListKeys: {
      ND_ASSIGN(const KeyReference after, DecodeKeyReference(frame.payload));
      Reply(id, Encode(keys_.List(after)));
      return {};
    }
    case Message::kPutKey: {
      ND_ASSIGN(const PutKeyMessage message, DecodePutKey(frame.payload));
      const auto provider = Provider(message.provider);
      Answer(id, provider.ok() ? keys_.Put(message) : Result<KeyInfo>(provider.error()));
      return {};
    }
    case Message::kDeleteKey: {
      ND_ASSIGN(const KeyReference reference, DecodeKeyReference(frame.payload));
      Answer(id, keys_.Remove(reference));
      return {};
    }
    case Message::kTestKey:
      return OnTestKey(frame);
    case Message::kStatus: {
      ND_TRY(DecodeEmpty(frame.payload));
      Reply(id, Encode(keys_.Status()));
      return {};
    }
    case Message::kCheck: {
      ND_TRY(DecodeEmpty(frame.payload));
      Answer(id, keys_.Check());
      return {};
    }
    case Message::kRotate: {
      ND_TRY(DecodeEmpty(frame.payload));
      Answer(id, keys_.Rotate());
      return {};
    }
    case Message::kRotateJwt: {
      ND_TRY(DecodeEmpty(frame.payload));
      Answer(id, secrets_.RotateJwt());
      return {};
    }
    default:
      return Breach("unknown message type");
  }
}

Result<void> FrontChannel::OnTestKey(const ipc::Frame& frame) {
  ND_ASSIGN(const KeyReference reference, DecodeKeyReference(frame.payload));
  const std::uint64_t id = frame.call;
  const auto provider = Provider(reference.provider);
  if (!provider.ok() || tests_ >= kMaxTests) {
    Fail(id, provider.ok() ? Busy() : provider.error());
    return {};
  }
  auto target = (*provider)->config.Target(Endpoint::kModels);
  auto key = keys_.ForCall(reference.provider, reference.owner);
  if (!target.ok() || !key.ok()) {
    Fail(id, key.ok() ? target.error() : key.error());
    return {};
  }
  ++tests_;
  net::asio::co_spawn(upstream_->loop().executor(),
                      TestProviderKey(upstream_, **provider, *std::move(target), *std::move(key)),
                      [id, self = std::weak_ptr(self_)](const std::exception_ptr& failure, const std::string& word) {
                        const auto channel = self.lock();
                        if (channel == nullptr) return;
                        --(*channel)->tests_;
                        if (failure) return (*channel)->Fail(id, Internal("keeper: testing a key failed"));
                        (*channel)->Reply(id, EncodeText(word));
                      });
  return {};
}

Result<void> FrontChannel::OnCallStart(const ipc::Frame& frame) {
  Pending pending;
  ND_ASSIGN(pending.request, DecodeCallStart(frame.payload));
  const std::size_t size = pending.request.body_size;
  if (calls_.size() + pending_.size() >= kMaxCalls || waiting_bodies_ + size > kMaxWaitingBodies) {
    Fail(frame.call, Busy());  // body frames that follow are passed over
    return {};
  }
  if (size == 0) {
    Launch(frame.call, std::move(pending));
    return {};
  }
  waiting_bodies_ += size;
  pending.body.reserve(size);
  pending_.emplace(frame.call, std::move(pending));
  return {};
}

Result<void> FrontChannel::OnCallBody(const ipc::Frame& frame) {
  const auto found = pending_.find(frame.call);
  // Cancelled or refused meanwhile; the front may not know yet.
  if (found == pending_.end()) return {};
  Pending& pending = found->second;
  if (frame.payload.empty() || frame.payload.size() > kMaxBodyChunk ||
      frame.payload.size() > pending.request.body_size - pending.body.size()) {
    return Breach("a request body is longer than announced");
  }
  pending.body.append(frame.payload);
  if (pending.body.size() < pending.request.body_size) return {};
  Pending whole = std::move(pending);
  pending_.erase(found);
  waiting_bodies_ -= whole.request.body_size;
  Launch(frame.call, std::move(whole));
  return {};
}

void FrontChannel::Launch(std::uint64_t id, Pending pending) {
  const auto provider = Provider(pending.request.provider);
  if (!provider.ok()) return Fail(id, provider.error());
  auto target = (*provider)->config.Target(pending.request.endpoint);
  if (!target.ok()) return Fail(id, target.error());
  auto key = keys_.ForCall(pending.request.provider, pending.request.user);
  if (!key.ok()) return Fail(id, key.error());
  // Cancel, in End or in the destructor, takes both functions away before this channel goes.
  const auto call = std::make_shared<ProviderCall>(
      upstream_, [this, id](Message type, std::string_view payload) { Send(id, type, payload); },
      [this, id] { calls_.erase(id); });
  calls_.emplace(id, call);
  call->Start(**provider, pending.request, *std::move(target), *std::move(key), std::move(pending.body));
}

void FrontChannel::End(std::uint64_t id) {
  if (const auto waiting = pending_.find(id); waiting != pending_.end()) {
    waiting_bodies_ -= waiting->second.request.body_size;
    pending_.erase(waiting);
  }
  if (const auto running = calls_.find(id); running != calls_.end()) {
    running->second->Cancel();
    calls_.erase(running);
  }
}

}  // namespace nd::keeper
