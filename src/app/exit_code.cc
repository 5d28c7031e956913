#include "app/exit_code.h"

#include <unistd.h>

#include "base/files.h"

namespace nd::app {

ExitCode ExitCodeOf(const Error& error) {
  return error.kind == ErrorKind::kForbidden ? ExitCode::kRefusedUnsafe : ExitCode::kFailed;
}

std::string DescribeError(const Error& error) {
  std::string text = error.public_text;
  if (!error.detail.empty()) text.append(" (").append(error.detail).append(")");
  return text;
}

void PrintError(const Error& error) {
  // Standard error may be closed; there is nobody left to tell.
  (void)WriteAll(STDERR_FILENO, "neuraldeck: " + DescribeError(error) + "\n");
}

}  // namespace nd::app
