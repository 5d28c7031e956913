#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace nd {

namespace {
std::atomic<const char*> process_name{"neuraldeck"};
}  // namespace

void SetLogProcess(std::string_view process) { process_name = process.data(); }

void Log(LogLevel level, std::string_view text) {
  static constexpr std::string_view kNames[] = {"info", "warning", "error"};
  std::string line = FormatRfc3339Micros(SystemClock().Now());
  line.append(" ").append(kNames[static_cast<int>(level)]).append(" ").append(process_name.load()).append(" ");
  std::string escaped;
  AppendJsonString(escaped, text);
  line.append(escaped, 1, escaped.size() - 2).push_back('\n');
  // A failed write of the operational log is not worth stopping for.
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace nd
