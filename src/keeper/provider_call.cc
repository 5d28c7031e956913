#include "keeper/provider_call.h"

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <exception>

#include "base/log.h"
#include "keeper/upstream_facts.h"

namespace nd::keeper {

namespace {

// Listing models needs no thought.
constexpr std::chrono::milliseconds kTestPatience{30'000};

// Up to kMaxErrorBody bytes of the body. What lies beyond is left unread, and the connection is then closed.
net::Task<Result<std::string>> ReadErrorBody(Exchange& exchange) {
  std::string body;
  while (body.size() < kMaxErrorBody) {
    auto chunk = co_await exchange.Next();
    if (!chunk.ok()) co_return std::move(chunk).error();
    if (!chunk->has_value()) break;
    body += **chunk;
  }
  if (body.size() > kMaxErrorBody) body.resize(kMaxErrorBody);
  co_return body;
}

Error RedirectRefused(const UpstreamHead& head) {
  return Unavailable(
      "The provider answered with a redirect, which is never followed. The administrator should check the "
      "provider's URL.",
      "upstream status " + std::to_string(head.status));
}

}  // namespace

ProviderCall::ProviderCall(std::shared_ptr<Upstream> upstream, SendFrame send, std::function<void()> on_done)
    : upstream_(std::move(upstream)),
      send_(std::move(send)),
      on_done_(std::move(on_done)),
      credit_added_(upstream_->loop()) {}

void ProviderCall::Start(Upstream::Provider& provider, const CallStartMessage& request, std::string target, Secret key,
                         std::string body) {
  ipc::Bytes head = BuildRequestHead(provider.config, request.endpoint, target, key, request.headers, body.size());
  net::asio::co_spawn(upstream_->loop().executor(),
                      Run(shared_from_this(), provider, std::move(head), std::move(key), std::move(body)),
                      net::asio::detached);
}

bool ProviderCall::AddCredit(std::uint64_t bytes) {
  if (bytes > kCallWindow || credit_ + bytes > kCallWindow) return false;
  credit_ += bytes;
  credit_added_.Notify();
  return true;
}

void ProviderCall::Cancel() {
  send_ = nullptr;
  on_done_ = nullptr;
  stop_.Fire();
  credit_added_.Notify();
}

void ProviderCall::Send(Message type, std::string_view payload) {
  if (send_) send_(type, payload);
}

net::Task<> ProviderCall::Run(std::shared_ptr<ProviderCall> self, Upstream::Provider& provider, ipc::Bytes head,
                              Secret key, std::string body) {
  Result<void> outcome;
  try {
    Scrubber scrubber(key);
    key = Secret();
    Exchange exchange(self->upstream_, provider, std::move(head), std::move(body), self->stop_);
    outcome = co_await self->Relay(exchange, scrubber);
  } catch (const std::exception& failure) {
    outcome = Internal(std::string("provider call: ") + failure.what());
  }
  if (!outcome.ok() && self->send_) {
    Error error = std::move(outcome).error().At("provider " + provider.config.name);
    LogWarning(error.detail);
    const ipc::Bytes payload = Encode(error);
    self->Send(Message::kError, ipc::View(payload));
  }
  // The last frame is sent: the channel forgets the call, which may be the last but one to hold it.
  if (const auto on_done = std::exchange(self->on_done_, nullptr)) on_done();
}

net::Task<Result<void>> ProviderCall::Relay(Exchange& exchange, Scrubber& scrubber) {
  const auto begun = co_await exchange.Begin();
  if (!begun.ok()) co_return begun.error();
  const UpstreamHead& upstream_head = *begun;
  if (upstream_head.status >= 300 && upstream_head.status < 400) co_return RedirectRefused(upstream_head);
  CallHead head;
  head.status = upstream_head.status;
  // Through the scrubber as well: a key is a valid token, so it could stand where a subtype does.
  head.content_type = PlainMediaType(scrubber.Whole(upstream_head.content_type)).value_or("application/octet-stream");
  head.retry_after_seconds = RetryAfterSeconds(upstream_head.retry_after, upstream_->clock().Now());
  if (head.status >= 400) co_return co_await RelayError(exchange, scrubber, std::move(head));
  if (!upstream_head.identity_coding) {
    co_return Unavailable("The provider sent a compressed answer, which cannot be passed on.",
                          "unasked content coding");
  }
  const ipc::Bytes payload = Encode(head);
  Send(Message::kCallHead, ipc::View(payload));
  co_return co_await Stream(exchange, scrubber);
}

net::Task<Result<void>> ProviderCall::RelayError(Exchange& exchange, Scrubber& scrubber, CallHead head) {
  // A body that breaks off still leaves a status worth passing on.
  const auto body = co_await ReadErrorBody(exchange);
  if (body.ok()) {
    head.error_code = ErrorCodeOf(*body);
    // A key may look like a code.
    if (scrubber.Whole(head.error_code) != head.error_code) head.error_code.clear();
  }
  const ipc::Bytes payload = Encode(head);
  Send(Message::kCallHead, ipc::View(payload));
  co_return Result<void>();
}

net::Task<Result<void>> ProviderCall::Stream(Exchange& exchange, Scrubber& scrubber) {
  while (true) {
    const auto chunk = co_await exchange.Next();
    if (!chunk.ok()) co_return chunk.error();
    std::string clean;
    if (chunk->has_value()) {
      scrubber.Push(**chunk, clean);
    } else {
      scrubber.Finish(clean);
    }
    const bool sent = co_await SendChunks(clean);
    if (!sent) co_return Unavailable("The call was cancelled.", "cancelled");
    if (!chunk->has_value()) break;
  }
  Send(Message::kCallEnd, {});
  co_return Result<void>();
}

net::Task<bool> ProviderCall::SendChunks(std::string_view bytes) {
  while (!bytes.empty()) {
    while (credit_ == 0 && !stop_.fired()) co_await credit_added_.Wait(Wakeup::kForever);
    if (stop_.fired()) co_return false;
    const std::size_t size = std::min({bytes.size(), kMaxBodyChunk, static_cast<std::size_t>(credit_)});
    Send(Message::kCallChunk, bytes.substr(0, size));
    credit_ -= size;
    bytes.remove_prefix(size);
  }
  co_return !stop_.fired();
}

net::Task<std::string> TestProviderKey(std::shared_ptr<Upstream> upstream, Upstream::Provider& provider,
                                       std::string target, Secret key) {
  Stop stop;
  Exchange exchange(upstream, provider, BuildRequestHead(provider.config, Endpoint::kModels, target, key, {}, 0), {},
                    stop);
  exchange.set_first_byte_patience(kTestPatience);
  const auto head = co_await exchange.Begin();
  if (!head.ok()) {
    LogWarning("testing a key of provider " + provider.config.name + ": " + head.error().detail);
    co_return exchange.connected() ? "error" : "unreachable";
  }
  // Read to the end if that is near, so that the connection can be used again.
  static_cast<void>(co_await ReadErrorBody(exchange));
  if (head->status >= 200 && head->status < 300) co_return "ok";
  if (head->status == 401 || head->status == 403) co_return "rejected";
  co_return "error";
}

}  // namespace nd::keeper
