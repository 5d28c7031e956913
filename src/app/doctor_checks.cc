#include <linux/landlock.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/doctor.h"
#include "app/jwt_secret.h"
#include "app/state_folder.h"
#include "app/vault_access.h"
#include "base/files.h"

namespace nd::app {

namespace {
// From this moment on this program exists; a clock that shows less is wrong.
constexpr std::int64_t kEarliestPlausible = 1'767'225'600;  // 2026-01-01
constexpr std::int64_t kTolerance = 120;                    // seconds that file times may lie ahead

void Add(std::vector<Finding>& findings, Verdict verdict, std::string_view check, std::string text) {
  findings.push_back({verdict, check, std::move(text)});
}
}  // namespace

void CheckFolder(const Options& options, std::vector<Finding>& findings) {
  struct stat info;
  if (stat(options.workspace.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    Add(findings, Verdict::kPass, "workspace", "The workspace is " + options.workspace + ".");
  } else {
    Add(findings, Verdict::kFail, "workspace",
        "The workspace " + options.workspace + " is not a folder. Make it, or name another with --workspace.");
  }
  const StateFolder folder(options.data_dir);
  if (!folder.Exists()) {
    Add(findings, Verdict::kInfo, "folder",
        "There is no state folder at " + options.data_dir + " yet; the first start makes one.");
    return;
  }
  bool good = true;
  for (const std::string& path : {folder.path(), folder.state(), folder.audit(), folder.vault(), folder.database(),
                                  folder.lock(), folder.config()}) {
    if (stat(path.c_str(), &info) != 0) continue;
    if (info.st_uid != geteuid()) {
      Add(findings, Verdict::kFail, "folder",
          path + " belongs to another user. Run: chown " + std::to_string(geteuid()) + " " + path);
      good = false;
    } else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      Add(findings, Verdict::kFail, "folder", path + " is open to other users. Run: chmod go-rwx " + path);
      good = false;
    }
  }
  if (access(folder.gitignore().c_str(), F_OK) != 0) {
    Add(findings, Verdict::kWarn, "folder",
        "The state folder could be committed by mistake. Run: echo '*' > " + folder.gitignore());
    good = false;
  }
  if (good) Add(findings, Verdict::kPass, "folder", "The state folder " + folder.path() + " is for its owner alone.");
}

void CheckRootKey(const Options& options, const EnvironmentSecrets& secrets, std::vector<Finding>& findings) {
  if (!secrets.root_key.empty()) {
    Add(findings, Verdict::kPass, "root-key",
        "The root key is given by hand. A crash then ends the deck, so let a service manager start it again.");
    return;
  }
  if (options.root_key_dir.empty()) {
    Add(findings, Verdict::kFail, "root-key", "There is no place for the root key. Name one with --root-key-dir.");
    return;
  }
  if (const auto places = CheckPlaces(options, secrets); !places.ok()) {
    Add(findings, Verdict::kFail, "root-key", places.error().public_text);
    return;
  }
  struct stat info;
  if (stat(options.root_key_dir.c_str(), &info) != 0) {
    Add(findings, Verdict::kInfo, "root-key",
        "The first start makes the root key in " + options.root_key_dir + ". Back it up apart.");
  } else if (info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    Add(findings, Verdict::kFail, "root-key",
        "Others could replace the root key. Run: chmod 700 " + options.root_key_dir);
  } else {
    Add(findings, Verdict::kPass, "root-key",
        "The root key lies in " + options.root_key_dir + ", apart from what it protects.");
  }
}

void CheckClock(const Options& options, const Clock& clock, std::vector<Finding>& findings) {
  const std::int64_t now = UnixSeconds(clock.Now());
  if (now < kEarliestPlausible) {
    Add(findings, Verdict::kFail, "clock",
        "The clock is wrong: it shows a time before this program existed. Set it, and keep it by NTP.");
    return;
  }
  const StateFolder folder(options.data_dir);
  struct stat info;
  for (const std::string& path : {folder.vault(), folder.database()}) {
    if (stat(path.c_str(), &info) != 0 || info.st_mtim.tv_sec <= now + kTolerance) continue;
    Add(findings, Verdict::kFail, "clock",
        "The clock has gone back: " + path +
            " was written later than now. Tokens and the audit log need a right clock; set it, and keep it by NTP.");
    return;
  }
  Add(findings, Verdict::kPass, "clock", "The clock is plausible.");
}

void CheckSettings(const Options& options, const EnvironmentSecrets& secrets, std::vector<Finding>& findings) {
  if (secrets.jwt_secret.empty()) {
    Add(findings, Verdict::kPass, "jwt-secret", "Session tokens are signed with a random key of the vault.");
  } else if (const auto checked = CheckJwtSecret(secrets.jwt_secret); !checked.ok()) {
    Add(findings, Verdict::kFail, "jwt-secret", checked.error().public_text);
  } else {
    Add(findings, Verdict::kPass, "jwt-secret", "JWT_SECRET is long enough and no known placeholder.");
  }

  if (options.csp_mode == server::CspMode::kReportOnly) {
    Add(findings, Verdict::kWarn, "csp",
        "The content security policy only reports. When the reports are quiet, enforce it: set csp-mode = \"enforce\" "
        "(or CSP_MODE=enforce).");
  } else {
    Add(findings, Verdict::kPass, "csp", "The content security policy is enforced.");
  }

  if (options.loopback_only()) {
    Add(findings, Verdict::kPass, "listen", "Only this machine can connect.");
  } else if (options.trusted_proxies.empty()) {
    Add(findings, Verdict::kFail, "listen",
        "Listening on " + options.host +
            " without TLS is refused. Listen on 127.0.0.1, or name a TLS proxy with --behind-tls-proxy.");
  } else if (options.public_origins.empty()) {
    Add(findings, Verdict::kWarn, "listen",
        "A TLS proxy is named but no --public-origin: browsers that come through the proxy will be refused (421). Name "
        "the URL they use.");
  } else {
    Add(findings, Verdict::kPass, "listen", "A TLS proxy is named. Let nothing but it reach the port.");
  }

  if (const auto providers = KeeperOptionsOf(options); !providers.ok()) {
    Add(findings, Verdict::kFail, "providers", providers.error().public_text);
  } else {
    Add(findings, Verdict::kPass, "providers",
        std::to_string(providers->providers.size()) + " providers are configured.");
  }
  if (options.session_expiry > std::chrono::seconds(900)) {
    Add(findings, Verdict::kInfo, "session-expiry",
        "Access tokens live for " + std::to_string(options.session_expiry.count()) + " s; 900 is recommended.");
  }
}

void CheckKernel(std::vector<Finding>& findings) {
  // A child tries; what it did ends with it.
  int status = -1;
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  if (child > 0) waitpid(child, &status, 0);
  const bool namespaces = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  Add(findings, Verdict::kInfo, "kernel",
      namespaces ? "User namespaces can be made."
                 : "User namespaces cannot be made by this user; a full sandbox will need them.");
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  Add(findings, Verdict::kInfo, "kernel",
      abi > 0 ? "Landlock is available (ABI " + std::to_string(abi) + ")."
              : "Landlock is not available; enable it in the kernel (lsm=landlock,...).");
}

}  // namespace nd::app
