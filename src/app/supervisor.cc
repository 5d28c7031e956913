#include "app/supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "app/process.h"
#include "base/log.h"
#include "ipc/channel.h"

namespace nd::app {

namespace {
// A blocked signal is queued even if it is ignored: under nohup, or started in the background by a shell, a hang-up or
// Ctrl-C that the starter told us to ignore must stay out of the set.
bool IsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t OurSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  for (const int number : {SIGINT, SIGHUP}) {
    if (!IsIgnored(number)) sigaddset(&set, number);
  }
  return set;
}

std::string DescribeEnd(std::string_view name, int status) {
  std::string text(name);
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* abbreviation = sigabbrev_np(number);
    return text + " was ended by signal " + std::to_string(number) +
           (abbreviation ? " (SIG" + std::string(abbreviation) + ")" : "");
  }
  return text + " ended with exit code " + std::to_string(WEXITSTATUS(status));
}

bool EndedInOrder(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

// A child that ends by itself with one of our codes has found something it will find again: its refusal is the deck's.
std::optional<ExitCode> RefusalOf(int status) {
  if (!WIFEXITED(status)) return std::nullopt;
  const int code = WEXITSTATUS(status);
  if (code < static_cast<int>(ExitCode::kFailed) || code > static_cast<int>(ExitCode::kRefusedUnsafe))
    return std::nullopt;
  return static_cast<ExitCode>(code);
}
}  // namespace

Supervisor::Supervisor(SupervisorPlan plan, const Clock& clock) : plan_(std::move(plan)), clock_(clock) {}

ExitCode Supervisor::Run() {
  // Inherited as ignored, as some parents leave it, it would let children vanish without a status.
  signal(SIGCHLD, SIG_DFL);
  const sigset_t signals = OurSignals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const auto started = Start();
  if (plan_.forget_secrets) plan_.forget_secrets();
  if (!started.ok()) {
    PrintError(started.error());
    End(front_, std::chrono::seconds(0));
    End(keeper_, std::chrono::seconds(0));
    return ExitCode::kFailed;
  }
  for (;;) {
    if (Wait(std::nullopt) == Wake::kStop) return Stop();
    if (keeper_.alive() && front_.alive()) continue;
    if (const auto code = AfterDeath()) return *code;
  }
}

Result<void> Supervisor::Start() {
  std::vector<UniqueFd> keeper_ends, front_ends;
  for (std::size_t i = 0; i < plan_.channels; ++i) {
    ND_ASSIGN(auto ends, ipc::MakePair());
    keeper_ends.push_back(std::move(ends.first));
    front_ends.push_back(std::move(ends.second));
  }
  // The keeper's secrets go down with a parent that dies; the front gets the time to finish what it answers.
  ND_ASSIGN(keeper_, Fork(keeper_.name, plan_.keeper, SIGKILL, std::move(keeper_ends)));
  ND_ASSIGN(front_, Fork(front_.name, plan_.front, SIGTERM, std::move(front_ends)));
  return {};
}

Result<Supervisor::Child> Supervisor::Fork(std::string_view name, const ChildMain& main, int signal_at_parents_end,
                                           std::vector<UniqueFd> channels) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return InternalErrno("fork", errno);
  if (pid > 0) return Child{.name = name, .pid = pid, .status = {}};

  std::vector<int> kept = plan_.inherited;
  for (const UniqueFd& channel : channels) kept.push_back(channel.get());
  BecomeChild(parent, signal_at_parents_end, name, kept);
  const ExitCode code = main(std::move(channels));
  // Not exit(): what belongs to the parent's copy (its buffers, its at-exit handlers) is not this process's to run.
  _exit(static_cast<int>(code));
}

void Supervisor::Reap(Child& child) {
  if (!child.alive()) return;
  int status = 0;
  if (waitpid(child.pid, &status, WNOHANG) == child.pid) child.status = status;
}

Supervisor::Wake Supervisor::Wait(std::optional<std::chrono::milliseconds> patience) {
  const sigset_t signals = OurSignals();
  int number = -1;
  if (patience) {
    const struct timespec limit = {.tv_sec = patience->count() / 1000, .tv_nsec = patience->count() % 1000 * 1'000'000};
    number = sigtimedwait(&signals, nullptr, &limit);
  } else {
    number = sigwaitinfo(&signals, nullptr);
  }
  Reap(keeper_);
  Reap(front_);
  if (number < 0) return errno == EAGAIN ? Wake::kTimeout : Wake::kChild;  // EINTR: look, and wait again
  if (number == SIGCHLD) return Wake::kChild;
  stop_wanted_ = true;
  return Wake::kStop;
}

void Supervisor::End(Child& child, std::chrono::seconds patience) {
  Reap(child);
  if (!child.alive()) return;
  kill(child.pid, SIGTERM);
  const SteadyTime deadline = clock_.Steady() + patience;
  while (child.alive()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.Steady());
    if (left <= std::chrono::milliseconds(0)) break;
    Wait(left);
  }
  if (!child.alive()) return;
  LogWarning(std::string(child.name) + " did not stop in time and is ended by force");
  kill(child.pid, SIGKILL);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.status = status;
}

ExitCode Supervisor::Stop() {
  // The front first: what it has begun to answer may still need the keeper.
  End(front_, plan_.front_patience);
  End(keeper_, plan_.keeper_patience);
  ExitCode code = ExitCode::kOk;
  for (const Child* child : {&front_, &keeper_}) {
    if (EndedInOrder(*child->status)) continue;
    LogError(DescribeEnd(child->name, *child->status) + " while stopping");
    code = ExitCode::kFailed;
  }
  return code;
}

std::optional<ExitCode> Supervisor::AfterDeath() {
  std::optional<ExitCode> refusal;
  for (const Child* child : {&keeper_, &front_}) {
    if (!child->status) continue;
    if (!refusal) refusal = RefusalOf(*child->status);
    if (!RefusalOf(*child->status)) LogError(DescribeEnd(child->name, *child->status) + " unexpectedly");
  }
  End(front_, plan_.front_patience);
  End(keeper_, plan_.keeper_patience);
  if (refusal) return refusal;
  if (stop_wanted_) return ExitCode::kOk;
  if (!plan_.no_restart_reason.empty()) {
    LogError("the deck ends, since " + std::string(plan_.no_restart_reason));
    return ExitCode::kFailed;
  }
  return Restart();
}

std::optional<ExitCode> Supervisor::Restart() {
  const SteadyTime now = clock_.Steady();
  while (!restarts_.empty() && now - restarts_.front() > std::chrono::minutes(1)) restarts_.pop_front();
  if (restarts_.size() >= kMaxRestarts) {
    LogError("the deck ends: its processes died " + std::to_string(kMaxRestarts + 1) + " times within a minute");
    return ExitCode::kFailed;
  }
  const auto backoff = plan_.first_backoff * (1 << restarts_.size());
  restarts_.push_back(now);
  LogWarning("starting the deck's processes again in " + std::to_string(backoff.count()) + " ms");
  const SteadyTime due = now + backoff;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - clock_.Steady());
    if (left <= std::chrono::milliseconds(0)) break;
    if (Wait(left) == Wake::kStop) return ExitCode::kOk;
  }
  if (const auto started = Start(); !started.ok()) {
    LogError(DescribeError(started.error()));
    End(keeper_, plan_.keeper_patience);
    return ExitCode::kFailed;
  }
  return std::nullopt;
}

}  // namespace nd::app
