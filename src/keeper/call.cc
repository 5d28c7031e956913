#include "keeper/client_core.h"

namespace nd::keeper {

namespace {

// Used bytes are credited in pieces, not one by one.
constexpr std::uint64_t kCreditStep = kCallWindow / 4;

class ChannelCall final : public Call {
 public:
  ChannelCall(std::shared_ptr<ClientCore> core, CallRequest request)
      : core_(std::move(core)), progress_(std::make_shared<CallProgress>(core_->loop())) {
    id_ = core_->StartCall(std::move(request), progress_);
  }
  ~ChannelCall() override { Cancel(); }

  net::Task<Result<CallHead>> Head() override { return WaitForHead(progress_); }
  net::Task<Result<std::optional<std::string>>> Next() override { return WaitForChunk(core_, progress_, id_); }

  void Cancel() override {
    core_->CancelCall(id_);
    if (progress_->ended || progress_->error) return;
    progress_->chunks.clear();
    progress_->error = Unavailable("The call was cancelled.", "cancelled");
    progress_->moved.Notify();
  }

 private:
  // Static, with what they need as parameters: the Call may die while they wait.
  static net::Task<Result<CallHead>> WaitForHead(std::shared_ptr<CallProgress> progress) {
    while (!progress->head && !progress->error) co_await progress->moved.Wait(Wakeup::kForever);
    if (progress->head) co_return *progress->head;
    co_return *progress->error;
  }

  static net::Task<Result<std::optional<std::string>>> WaitForChunk(std::shared_ptr<ClientCore> core,
                                                                    std::shared_ptr<CallProgress> progress,
                                                                    std::uint64_t id) {
    while (progress->chunks.empty() && !progress->ended && !progress->error) {
      co_await progress->moved.Wait(Wakeup::kForever);
    }
    if (progress->chunks.empty()) {
      if (progress->error) co_return *progress->error;
      co_return std::optional<std::string>();
    }
    std::string chunk = std::move(progress->chunks.front());
    progress->chunks.pop_front();
    progress->buffered -= chunk.size();
    progress->used += chunk.size();
    if (progress->used >= kCreditStep) core->Credit(id, std::exchange(progress->used, 0));
    co_return std::optional<std::string>(std::move(chunk));
  }

  std::shared_ptr<ClientCore> core_;
  std::shared_ptr<CallProgress> progress_;
  std::uint64_t id_ = 0;
};

}  // namespace

std::unique_ptr<Call> MakeCall(std::shared_ptr<ClientCore> core, CallRequest request) {
  return std::make_unique<ChannelCall>(std::move(core), std::move(request));
}

}  // namespace nd::keeper
