#include "keeper/upstream_exchange.h"

#include <algorithm>

namespace nd::keeper {

namespace {
constexpr std::size_t kReadBuffer = 32 * 1024;
// A head and a body up to this size leave in one piece.
constexpr std::size_t kSmallBody = 16 * 1024;
}  // namespace

Upstream::Upstream(net::Loop& loop, const Clock& clock, std::vector<ProviderConfig> providers,
                   std::unique_ptr<net::asio::ssl::context> tls, UpstreamTimeouts timeouts)
    : loop_(loop), clock_(clock), tls_(std::move(tls)), timeouts_(timeouts) {
  for (ProviderConfig& config : providers) {
    providers_.push_back(std::make_unique<Provider>(std::move(config), loop, clock));
  }
}

Upstream::Provider* Upstream::Find(std::string_view name) {
  const auto found =
      std::find_if(providers_.begin(), providers_.end(), [&](const auto& each) { return each->config.name == name; });
  return found == providers_.end() ? nullptr : found->get();
}

std::shared_ptr<Connection> Upstream::NewConnection(const ProviderConfig& provider) {
  const bool tls = provider.transport == ProviderConfig::Transport::kTls;
  return std::make_shared<Connection>(loop_, tls ? tls_.get() : nullptr);
}

Exchange::Exchange(std::shared_ptr<Upstream> upstream, Upstream::Provider& provider, ipc::Bytes head, std::string body,
                   Stop& stop)
    : upstream_(std::move(upstream)),
      provider_(provider),
      head_(std::move(head)),
      body_(std::move(body)),
      stop_(stop),
      first_byte_patience_(upstream_->timeouts().first_byte),
      buffer_(kReadBuffer) {}

Exchange::~Exchange() { Drop(); }

void Exchange::Drop() {
  stop_.SetAction(nullptr);
  if (connection_ != nullptr) connection_->Close();
  connection_.reset();
}

net::Task<Result<UpstreamHead>> Exchange::Begin() {
  connection_ = provider_.pool.Take();
  if (connection_ != nullptr) {
    connected_ = true;
    auto head = co_await Attempt();
    const bool stale = !head.ok() && !parser_->started() && !connection_->timed_out() && !stop_.fired();
    if (!stale) co_return head;
    Drop();
  }
  connected_ = false;
  connection_ = upstream_->NewConnection(provider_.config);
  stop_.SetAction([connection = connection_] { connection->Close(); });
  auto opened = co_await connection_->Open(provider_.config, upstream_->timeouts());
  if (!opened.ok()) co_return std::move(opened).error();
  connected_ = true;
  co_return co_await Attempt();
}

net::Task<Result<void>> Exchange::Send() {
  const std::chrono::milliseconds patience = upstream_->timeouts().write;
  if (body_.size() <= kSmallBody) {
    ipc::Bytes whole;
    whole.reserve(head_.size() + body_.size());
    ipc::Append(whole, ipc::View(head_));
    ipc::Append(whole, body_);
    co_return co_await connection_->Write(ipc::View(whole), patience);
  }
  auto sent = co_await connection_->Write(ipc::View(head_), patience);
  if (!sent.ok()) co_return sent;
  co_return co_await connection_->Write(body_, patience);
}

net::Task<Result<UpstreamHead>> Exchange::Attempt() {
  stop_.SetAction([connection = connection_] { connection->Close(); });
  parser_.emplace();
  arrived_.clear();
  // A provider may refuse before it has read the whole request and close; its answer is still worth reading.
  const auto sent = co_await Send();
  while (!parser_->have_head()) {
    const auto patience = parser_->started() ? upstream_->timeouts().idle : first_byte_patience_;
    const auto size = co_await connection_->Read(buffer_, patience);
    if (!size.ok()) co_return sent.ok() ? size.error() : sent.error();
    if (*size == 0) {
      if (!sent.ok()) co_return sent.error();
      auto ended = parser_->End();
      if (!ended.ok()) co_return std::move(ended).error();
      break;
    }
    auto pushed = parser_->Push({buffer_.data(), *size}, arrived_);
    if (!pushed.ok()) co_return std::move(pushed).error();
  }
  body_ = std::string();
  head_ = ipc::Bytes();
  co_return parser_->head();
}

net::Task<Result<std::optional<std::string>>> Exchange::Next() {
  while (arrived_.empty() && !parser_->done()) {
    const auto size = co_await connection_->Read(buffer_, upstream_->timeouts().idle);
    if (!size.ok()) co_return size.error();
    auto pushed = *size == 0 ? parser_->End() : parser_->Push({buffer_.data(), *size}, arrived_);
    if (!pushed.ok()) co_return std::move(pushed).error();
  }
  if (!arrived_.empty()) co_return std::optional<std::string>(std::exchange(arrived_, {}));
  if (connection_ != nullptr && parser_->reusable() && !stop_.fired()) {
    stop_.SetAction(nullptr);
    provider_.pool.Give(std::exchange(connection_, nullptr));
  }
  Drop();
  co_return std::optional<std::string>();
}

}  // namespace nd::keeper
