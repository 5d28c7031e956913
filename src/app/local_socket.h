// Local stream sockets by path, of any length: the kernel's limit of 107 bytes is got round through the folder's
// descriptor, since state folders may lie deep.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace nd::app {

// A listening socket at `path`, mode 0600, in place of whatever socket lay there.
Result<UniqueFd> ListenLocally(const std::string& path);

// A connected socket. kNotFound if nobody listens at `path`.
Result<UniqueFd> ConnectLocally(const std::string& path);

}  // namespace nd::app
