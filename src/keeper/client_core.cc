#include "keeper/client_core.h"

#include <algorithm>

#include "base/log.h"

namespace nd::keeper {

namespace {

Error Breach(std::string_view what) {
  return InvalidInput("A message between the server's processes is malformed.", "ipc: " + std::string(what));
}

Error TooBusy() {
  return Unavailable("The server is busy with other model calls. Try again in a moment.",
                     "keeper channel: queue is full", 1);
}

}  // namespace

Error KeeperGone() {
  return Unavailable("The part of the server that holds the keys is restarting. Try again in a moment.",
                     "keeper channel has ended", 1);
}

ClientCore::ClientCore(net::Loop& loop, UniqueFd channel)
    : loop_(loop), channel_(loop, std::move(channel), kMaxQueued + kControlRoom) {}

void ClientCore::Start() {
  channel_.Start([this](const ipc::Frame& frame) { return OnFrame(frame); },
                 [this](const std::string& why) {
                   const auto self = shared_from_this();
                   LogError("the keeper's channel has ended: " + why);
                   lost_ = true;
                   FailAll(KeeperGone());
                   if (const auto on_lost = std::exchange(on_lost_, nullptr)) on_lost();
                 });
}

void ClientCore::Shutdown() {
  channel_.Close();
  lost_ = true;
  on_lost_ = nullptr;
  FailAll(KeeperGone());
}

void ClientCore::FailAll(const Error& error) {
  for (const auto& [id, question] : std::exchange(questions_, {})) {
    question->answer = error;
    question->answered.Notify();
  }
  for (const auto& [id, call] : std::exchange(calls_, {})) {
    if (!call->error) call->error = error;
    call->moved.Notify();
  }
}

void ClientCore::OnLost(std::function<void()> on_lost) {
  on_lost_ = std::move(on_lost);
  if (!lost_) return;
  loop_.Post([self = shared_from_this()] {
    if (const auto call = std::exchange(self->on_lost_, nullptr)) call();
  });
}

bool ClientCore::Send(Message type, std::uint64_t id, std::string_view payload) {
  return CanQueue(ipc::kFrameHeader + payload.size()) && channel_.Send(static_cast<std::uint8_t>(type), id, payload);
}

void ClientCore::SendControl(Message type, std::uint64_t id, std::string_view payload) {
  if (!channel_.Send(static_cast<std::uint8_t>(type), id, payload)) channel_.Abandon("the keeper does not read");
}

net::Task<Result<ipc::Bytes>> ClientCore::Ask(std::shared_ptr<ClientCore> self, Message type, ipc::Bytes payload,
                                              std::chrono::milliseconds patience) {
  if (self->lost_) co_return KeeperGone();
  const std::uint64_t id = self->last_id_ + 1;
  if (!self->Send(type, id, ipc::View(payload))) co_return TooBusy();
  payload = ipc::Bytes();
  self->last_id_ = id;
  const auto question = std::make_shared<Question>(self->loop_);
  self->questions_.emplace(id, question);
  const bool answered = co_await question->answered.Wait(patience);
  self->questions_.erase(id);
  if (!answered || !question->answer) {
    co_return Unavailable("The part of the server that holds the keys did not answer in time. Try again in a moment.",
                          "keeper: no answer in time", 1);
  }
  co_return *std::move(question->answer);
}

std::uint64_t ClientCore::StartCall(CallRequest request, const std::shared_ptr<CallProgress>& progress) {
  const auto fail = [&](Error error) -> std::uint64_t {
    progress->error = std::move(error);
    return 0;
  };
  if (lost_) return fail(KeeperGone());
  if (request.body.size() > kMaxRequestBody) {
    return fail(TooLarge("A model request has at most 8 MiB. Send a shorter conversation or fewer images."));
  }
  CallStartMessage start;
  start.provider = std::move(request.provider);
  start.user = std::move(request.user);
  start.endpoint = request.endpoint;
  start.headers = std::move(request.headers);
  // The keeper reads at most so many, and only three names mean anything to it.
  std::erase_if(start.headers, [](const auto& header) { return header.first.size() + header.second.size() > 1024; });
  if (start.headers.size() > kMaxPassedHeaders) start.headers.resize(kMaxPassedHeaders);
  start.body_size = static_cast<std::uint32_t>(request.body.size());
  const ipc::Bytes payload = Encode(start);
  const std::size_t frames = request.body.size() / kMaxBodyChunk + 2;
  // All of it or nothing: half a request would leave the keeper waiting.
  if (!CanQueue(payload.size() + request.body.size() + frames * ipc::kFrameHeader)) {
    return fail(TooBusy());
  }
  const std::uint64_t id = ++last_id_;
  bool sent = Send(Message::kCallStart, id, ipc::View(payload));
  for (std::size_t at = 0; at < request.body.size() && sent; at += kMaxBodyChunk) {
    sent = Send(Message::kCallBody, id, std::string_view(request.body).substr(at, kMaxBodyChunk));
  }
  if (!sent) return fail(TooBusy());
  calls_.emplace(id, progress);
  return id;
}

void ClientCore::Credit(std::uint64_t id, std::uint64_t bytes) {
  if (!calls_.contains(id)) return;
  const ipc::Bytes payload = EncodeNumber(bytes);
  SendControl(Message::kCallCredit, id, ipc::View(payload));
}

void ClientCore::CancelCall(std::uint64_t id) {
  if (calls_.erase(id) == 0) return;
  SendControl(Message::kCallCancel, id, {});
}

Result<void> ClientCore::OnFrame(const ipc::Frame& frame) {
  if (const auto call = calls_.find(frame.call); call != calls_.end()) {
    const auto progress = call->second;
    auto handled = OnCallFrame(frame, *progress);
    progress->moved.Notify();
    return handled;
  }
  const auto question = questions_.find(frame.call);
  // Answered late, or of a call that was cancelled.
  if (question == questions_.end()) return {};
  switch (static_cast<Message>(frame.type)) {
    case Message::kReply:
      question->second->answer = ipc::Bytes(frame.payload.begin(), frame.payload.end());
      break;
    case Message::kError:
      question->second->answer = DecodeError(frame.payload);
      break;
    default:
      return Breach("not an answer to a question");
  }
  question->second->answered.Notify();
  return {};
}

Result<void> ClientCore::OnCallFrame(const ipc::Frame& frame, CallProgress& call) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kCallHead: {
      if (call.head) return Breach("a second head");
      ND_ASSIGN(call.head, DecodeCallHead(frame.payload));
      if (call.head->status < 400) return {};
      call.ended = true;
      break;
    }
    case Message::kCallChunk: {
      if (!call.head || frame.payload.empty() || call.buffered + call.used + frame.payload.size() > kCallWindow) {
        return Breach("a chunk out of place");
      }
      call.chunks.emplace_back(frame.payload);
      call.buffered += frame.payload.size();
      return {};
    }
    case Message::kCallEnd: {
      if (!call.head) return Breach("an end without a head");
      call.ended = true;
      break;
    }
    case Message::kError:
      call.error = DecodeError(frame.payload);
      break;
    default:
      return Breach("not a part of a call");
  }
  calls_.erase(frame.call);
  return {};
}

}  // namespace nd::keeper
