// A command that reads or changes the deck's data: by the running server if there is one, else directly.
#pragma once

#include <memory>

#include "app/admin.h"
#include "app/cli.h"
#include "app/environment.h"
#include "app/exit_code.h"
#include "app/options.h"

namespace nd::app {

// Reads what the act takes from standard input, carries it out, prints the answer.
ExitCode RunAdminRequest(AdminRequest request, OutputStyle style, const Options& options, EnvironmentSecrets secrets);

// The running server, or the stores themselves. Waits a little while a server starts or another command is at work.
Result<std::unique_ptr<Admin>> OpenAdmin(const Options& options, const EnvironmentSecrets& secrets, const Clock& clock,
                                         Random& random);

// All of `fd` up to its end without one newline at its end. kInvalidInput if that is nothing or more than 16 KiB.
Result<Secret> ReadSecretInput(int fd, std::string_view what);

}  // namespace nd::app
