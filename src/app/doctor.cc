#include "app/doctor.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

#include "app/data_command.h"
#include "app/remote_admin.h"
#include "app/state_folder.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"

namespace nd::app {

namespace {
bool ServerRuns(const Options& options) { return ConnectToServer(StateFolder(options.data_dir).control_socket()).ok(); }

// Opens every record, by the running server or directly; only of a vault that is there already.
void CheckTheVault(const Options& options, const EnvironmentSecrets& secrets, const Clock& clock,
                   std::vector<Finding>& findings) {
  const StateFolder folder(options.data_dir);
  if (access(folder.vault().c_str(), F_OK) != 0) {
    findings.push_back({Verdict::kInfo, "vault", "There is no vault yet; the first start makes one."});
    return;
  }
  SystemRandom random;
  auto admin = OpenAdmin(options, secrets, clock, random);
  const auto answer = admin.ok() ? (*admin)->Do(CheckVault{}) : Result<Secret>(std::move(admin).error());
  if (!answer.ok()) {
    findings.push_back({Verdict::kFail, "vault", "The vault does not open: " + DescribeError(answer.error())});
    return;
  }
  const auto document = ParseJson(answer->ExposeSecret());
  const boost::json::array* unreadable = nullptr;
  std::string records = "its";
  if (document.ok() && document->root().is_object()) {
    const boost::json::object& status = document->root().get_object();
    if (const auto* list = status.if_contains("unreadable")) unreadable = list->if_array();
    if (const auto* count = status.if_contains("records"); count != nullptr && count->is_int64()) {
      records = std::to_string(count->get_int64());
    }
  }
  if (unreadable != nullptr && unreadable->empty()) {
    findings.push_back({Verdict::kPass, "vault", "The vault opens, with " + records + " records, all readable."});
    return;
  }
  findings.push_back(
      {Verdict::kFail, "vault",
       "The vault has records that cannot be read (`neuraldeck vault check` names them). Store those keys again, "
       "or restore the state folder and its root key from the same backup."});
}

void CheckPort(const Options& options, std::vector<Finding>& findings) {
  namespace asio = boost::asio;
  if (ServerRuns(options)) {
    findings.push_back({Verdict::kPass, "port", "A server of this state folder is running."});
    return;
  }
  if (options.port == 0) return;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(options.host), options.port);
  const UniqueFd probe(socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const std::string url = options.ListenUrl(options.port);
  if (probe && bind(probe.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    findings.push_back({Verdict::kPass, "port", "The port of " + url + " is free."});
  } else {
    findings.push_back(
        {Verdict::kFail, "port",
         "The deck could not listen on " + url + ". Stop what listens there, or choose another --port."});
  }
}

std::string_view VerdictName(Verdict verdict) {
  static constexpr std::string_view kNames[] = {"pass", "info", "warn", "fail"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string Render(const std::vector<Finding>& findings, bool healthy, OutputStyle style) {
  std::string text;
  if (style == OutputStyle::kText) {
    for (const Finding& finding : findings) {
      text.append(VerdictName(finding.verdict))
          .append("  ")
          .append(finding.check)
          .append(": ")
          .append(finding.text)
          .append("\n");
    }
    return text;
  }
  JsonWriter json(text);
  json.BeginObject().MemberBool("healthy", healthy).Key("checks").BeginArray();
  for (const Finding& finding : findings) {
    json.BeginObject()
        .Member("check", finding.check)
        .Member("verdict", VerdictName(finding.verdict))
        .Member("text", finding.text)
        .EndObject();
  }
  json.EndArray().EndObject();
  return text + "\n";
}
}  // namespace

ExitCode RunTheDoctor(const Options& options, EnvironmentSecrets secrets, OutputStyle style) {
  const SystemClock clock;
  std::vector<Finding> findings;
  CheckFolder(options, findings);
  CheckRootKey(options, secrets, findings);
  CheckTheVault(options, secrets, clock, findings);
  CheckClock(options, clock, findings);
  CheckSettings(options, secrets, findings);
  CheckPort(options, findings);
  CheckKernel(findings);
  bool healthy = true;
  for (const Finding& finding : findings) healthy = healthy && finding.verdict != Verdict::kFail;
  if (!WriteAll(STDOUT_FILENO, Render(findings, healthy, style)).ok()) return ExitCode::kFailed;
  return healthy ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace nd::app
