// The parent of the deck's processes: forks keeper and front, passes on the wish to stop, restarts both when one dies,
// or ends. It never limps along with half a deck.
//
// One thread, no event loop, no secret: it waits in sigtimedwait. Not a service manager: it does not restart itself.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "app/exit_code.h"
#include "base/clock.h"
#include "base/files.h"

namespace nd::app {

// Runs in the forked process until asked to stop by SIGTERM, which is blocked at entry. Its result is the process's
// exit code: kOk after an orderly stop; anything else before that is a refusal, final, whose reason it has printed.
using ChildMain = std::function<ExitCode(std::vector<UniqueFd> channels)>;

struct SupervisorPlan {
  std::size_t channels = 1;  // socket pairs between keeper and front, one per event loop
  ChildMain keeper;
  ChildMain front;
  // Forgets in this process what only a child may know; called once, after the first forks.
  std::function<void()> forget_secrets;
  // Empty: a crashed child is replaced. Else why it cannot be, for the log: the deck ends instead.
  std::string_view no_restart_reason;
  std::vector<int>
      inherited;  // descriptors that both children keep, so that what they lock stays locked while one lives
  std::chrono::seconds front_patience{30};
  std::chrono::seconds keeper_patience{10};
  std::chrono::milliseconds first_backoff{500};  // doubles with each restart of the last minute
};

class Supervisor {
 public:
  // At most this many restarts within a minute; one more and the deck ends with kFailed.
  static constexpr std::size_t kMaxRestarts = 5;

  Supervisor(SupervisorPlan plan, const Clock& clock);

  // Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD, then runs until told to stop (kOk), or until a child refuses or cannot
  // be replaced. When it returns no child lives.
  ExitCode Run();

 private:
  struct Child {
    std::string_view name;
    pid_t pid = -1;
    std::optional<int> status;  // as waitpid gave it, once ended
    bool alive() const { return pid > 0 && !status; }
  };
  enum class Wake : std::uint8_t { kStop, kChild, kTimeout };

  Result<void> Start();
  Result<Child> Fork(std::string_view name, const ChildMain& main, int signal_at_parents_end,
                     std::vector<UniqueFd> channels);
  // Waits for one of our signals; children that ended have their status afterwards.
  Wake Wait(std::optional<std::chrono::milliseconds> patience);
  void Reap(Child& child);
  // Asks, waits for at most `patience`, then insists.
  void End(Child& child, std::chrono::seconds patience);
  ExitCode Stop();
  // What to do after a child ended unasked: nothing (it was replaced) or an exit code.
  std::optional<ExitCode> AfterDeath();
  std::optional<ExitCode> Restart();

  SupervisorPlan plan_;
  const Clock& clock_;
  Child keeper_{.name = "nd-keeper", .pid = -1, .status = {}};
  Child front_{.name = "nd-front", .pid = -1, .status = {}};
  std::deque<SteadyTime> restarts_;
  bool stop_wanted_ = false;  // also when the wish came while something else was awaited
};

}  // namespace nd::app
