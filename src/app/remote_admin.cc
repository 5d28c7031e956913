#include "app/remote_admin.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "app/admin_codec.h"
#include "app/local_socket.h"

namespace nd::app {

namespace {
// The longest act asks a provider or seals a large vault anew.
constexpr int kPatienceSeconds = 180;

class RemoteAdmin final : public Admin {
 public:
  RemoteAdmin(std::string path, UniqueFd connection) : path_(std::move(path)), connection_(std::move(connection)) {}

  Result<Secret> Do(AdminAct act) override {
    const Secret line = EncodeAct(act);
    if (line.size() > kMaxRequestLine) return TooLarge("What was given is longer than the server takes (64 KiB).");
    // Each connection carries one act.
    UniqueFd connection = std::move(connection_);
    if (!connection) {
      ND_ASSIGN(connection, ConnectLocally(path_));
    }
    const struct timeval patience = {.tv_sec = kPatienceSeconds, .tv_usec = 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ND_TRY(Send(connection.get(), line.ExposeSecret()));
    ND_TRY(Send(connection.get(), "\n"));
    ND_ASSIGN(const Secret answer, ReadLine(connection.get()));
    return DecodeAnswer(answer.ExposeSecret());
  }

 private:
  static Error Lost() {
    return Unavailable("The running server did not answer. Ask again; its log says what happened.");
  }

  static Result<void> Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return Lost();
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // The first line, without its newline. Grows by copying into rooms that are wiped.
  static Result<Secret> ReadLine(int fd) {
    Secret room = Secret::OfSize(16 * 1024);
    std::size_t have = 0;
    for (;;) {
      if (have == room.size()) {
        if (room.size() >= kMaxAnswerLine) return Internal("the server's answer is too long");
        Secret larger = Secret::OfSize(2 * room.size());
        room.ExposeSecret().copy(larger.Mutable().data(), have);
        room = std::move(larger);
      }
      const ssize_t got = recv(fd, room.Mutable().data() + have, room.size() - have, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Lost();
      const auto end = room.ExposeSecret().substr(have, static_cast<std::size_t>(got)).find('\n');
      if (end != std::string_view::npos) return Secret(room.ExposeSecret().substr(0, have + end));
      have += static_cast<std::size_t>(got);
    }
  }

  const std::string path_;
  UniqueFd connection_;
};
}  // namespace

Result<std::unique_ptr<Admin>> ConnectToServer(const std::string& path) {
  ND_ASSIGN(UniqueFd connection, ConnectLocally(path));
  return std::unique_ptr<Admin>(new RemoteAdmin(path, std::move(connection)));
}

}  // namespace nd::app
