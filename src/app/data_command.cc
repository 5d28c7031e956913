#include "app/data_command.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "app/local_admin.h"
#include "app/print.h"
#include "app/process.h"
#include "app/remote_admin.h"
#include "app/state_folder.h"
#include "base/files.h"
#include "base/random.h"

namespace nd::app {

namespace {
constexpr std::size_t kMaxSecretInput = 16 * 1024;
constexpr std::chrono::seconds kLockPatience{10};

// Acts that may be the first thing done to a deck; for the others a missing state folder is a mistyped path.
bool MayCreateFolder(const AdminAct& act) {
  return std::holds_alternative<AddUser>(act) || std::holds_alternative<SetKey>(act);
}

// What in the answer of an act that checks something says that all is well; empty for acts that do not check.
std::string_view SignOfHealth(const AdminAct& act) {
  if (std::holds_alternative<TestKey>(act)) return "\"result\":\"ok\"";
  if (std::holds_alternative<CheckVault>(act)) return "\"unreadable\":[]";
  return {};
}
}  // namespace

Result<Secret> ReadSecretInput(int fd, std::string_view what) {
  Secret room = Secret::OfSize(kMaxSecretInput + 2);
  std::size_t have = 0;
  while (have < room.size()) {
    const ssize_t got = read(fd, room.Mutable().data() + have, room.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return InternalErrno("read standard input", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  std::string_view text = room.ExposeSecret().substr(0, have);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) {
    return InvalidInput("Nothing came on standard input. Pipe the " + std::string(what) +
                        " in, for example from a file with <.");
  }
  if (text.size() > kMaxSecretInput)
    return InvalidInput("The " + std::string(what) + " on standard input is longer than 16 KiB.");
  return Secret(text);
}

Result<std::unique_ptr<Admin>> OpenAdmin(const Options& options, const EnvironmentSecrets& secrets, const Clock& clock,
                                         Random& random) {
  const StateFolder folder(options.data_dir);
  const SteadyTime deadline = clock.Steady() + kLockPatience;
  for (;;) {
    auto remote = ConnectToServer(folder.control_socket());
    if (remote.ok() || remote.error().kind != ErrorKind::kNotFound) return remote;
    auto local =
        OpenLocally(options, secrets.Clone(), "cli:" + UserName(geteuid()), session::PasswordCost{}, clock, random);
    // A server that starts holds the lock before it listens; another command holds it for a moment.
    if (local.ok() || local.error().kind != ErrorKind::kConflict || clock.Steady() >= deadline) return local;
    poll(nullptr, 0, 50);
  }
}

ExitCode RunAdminRequest(AdminRequest request, OutputStyle style, const Options& options, EnvironmentSecrets secrets) {
  if (request.takes != StdinUse::kNothing) {
    auto secret = ReadSecretInput(STDIN_FILENO, request.takes == StdinUse::kPassword ? "password" : "key");
    if (!secret.ok()) {
      PrintError(secret.error());
      return ExitCode::kUsage;
    }
    GiveSecret(request.act, *std::move(secret));
  }
  if (!MayCreateFolder(request.act) && !StateFolder(options.data_dir).Exists()) {
    PrintError(NotFound("There is no state folder at " + options.data_dir +
                        ". Name the deck's with --data-dir or --workspace, or make one with `neuraldeck init`."));
    return ExitCode::kFailed;
  }
  const SystemClock clock;
  SystemRandom random;
  auto admin = OpenAdmin(options, secrets, clock, random);
  secrets = {};
  if (!admin.ok()) {
    PrintError(admin.error());
    return ExitCodeOf(admin.error());
  }
  const std::size_t index = request.act.index();
  const std::string_view healthy = SignOfHealth(request.act);
  const auto answer = (*admin)->Do(std::move(request.act));
  if (!answer.ok()) {
    PrintError(answer.error());
    return ExitCodeOf(answer.error());
  }
  if (!WriteAll(STDOUT_FILENO, RenderAnswer(index, *answer, style).ExposeSecret()).ok()) return ExitCode::kFailed;
  return answer->ExposeSecret().find(healthy) == std::string_view::npos ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace nd::app
