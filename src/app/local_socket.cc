#include "app/local_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nd::app {

namespace {
// The address of a socket at some path, and the folder it is reached through.
struct LocalAddress {
  sockaddr_un address = {};
  UniqueFd folder;
};

Result<LocalAddress> AddressOf(const std::string& path) {
  LocalAddress local;
  local.address.sun_family = AF_UNIX;
  std::string reached = path;
  if (path.size() >= sizeof local.address.sun_path) {
    const auto slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
    local.folder = UniqueFd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!local.folder) return NotFound("No such folder.", directory);
    reached = "/proc/self/fd/" + std::to_string(local.folder.get()) + path.substr(slash);
  }
  std::memcpy(local.address.sun_path, reached.c_str(), reached.size() + 1);
  return local;
}

UniqueFd NewSocket() { return UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
}  // namespace

Result<UniqueFd> ListenLocally(const std::string& path) {
  ND_ASSIGN(const LocalAddress local, AddressOf(path));
  UniqueFd listener = NewSocket();
  if (!listener) return InternalErrno("socket", errno);
  unlink(path.c_str());
  // The folder is 0700 already, so nobody else can come in between bind and chmod.
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&local.address), sizeof local.address) != 0) {
    return InternalErrno("bind " + path, errno);
  }
  if (chmod(path.c_str(), 0600) != 0) return InternalErrno("chmod " + path, errno);
  if (listen(listener.get(), 16) != 0) return InternalErrno("listen " + path, errno);
  return listener;
}

Result<UniqueFd> ConnectLocally(const std::string& path) {
  ND_ASSIGN(const LocalAddress local, AddressOf(path));
  UniqueFd connection = NewSocket();
  if (!connection) return InternalErrno("socket", errno);
  while (connect(connection.get(), reinterpret_cast<const sockaddr*>(&local.address), sizeof local.address) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ECONNREFUSED) return NotFound("No server is listening here.", path);
    if (errno == EACCES || errno == EPERM) return Forbidden("The running server belongs to another user.", path);
    return InternalErrno("connect " + path, errno);
  }
  return connection;
}

}  // namespace nd::app
