// Asks the running server over its control socket.
#pragma once

#include <memory>
#include <string>

#include "app/admin.h"

namespace nd::app {

// kNotFound if no server listens at `path`.
Result<std::unique_ptr<Admin>> ConnectToServer(const std::string& path);

}  // namespace nd::app
