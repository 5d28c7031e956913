// A whole keeper for tests: a real vault in a temporary folder, the keeper on one loop, the client on another, and a
// stand-in for a provider that speaks HTTP/1.1 on loopback, one blocking thread per connection, as its script says.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/mutex.h"
#include "ipc/channel.h"
#include "keeper/client.h"
#include "keeper/keeper.h"
#include "vault/root_key.h"

namespace nd::keeper {

// Tests that fail must end: nothing waits longer than this.
inline constexpr std::chrono::seconds kGiveUp{20};

// One connection as the stand-in sees it.
class Peer {
 public:
  Peer(int fd, int number) : fd_(fd), number_(number) {}
  int number() const { return number_; }  // 0 for the first connection
  int fd() const { return fd_; }

  // The next request, whole; empty if the keeper closed.
  std::string ReadRequest() {
    std::size_t head_end;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return {};
    }
    std::size_t size = head_end + 4;
    const auto length = received_.find("Content-Length: ");
    if (length != std::string::npos && length < head_end) size += std::stoul(received_.substr(length + 16));
    while (received_.size() < size) {
      if (!Receive()) return {};
    }
    std::string request = received_.substr(0, size);
    received_.erase(0, size);
    return request;
  }
  // False once the keeper has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void SendChunk(std::string_view bytes) {
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    Send(std::string(size) + std::string(bytes) + "\r\n");
  }
  void Answer(std::string_view status, std::string_view body, std::string_view headers = {}) {
    Send("HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  // Waits until the keeper closes.
  bool SeesClose() {
    while (true) {
      if (!Receive()) return true;
    }
  }

 private:
  bool Receive() {
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  int fd_;
  int number_;
  std::string received_;
};

class StandIn {
 public:
  using Script = std::function<void(Peer&)>;

  explicit StandIn(Script script)
      : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_.get(), 64) != 0 ||
        getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~StandIn() {
    stopping_ = true;
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      MutexLock lock(mutex_);
      for (const UniqueFd& fd : connections_) shutdown(fd.get(), SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }
  std::string port() const { return std::to_string(port_); }
  int connections() const { return count_; }

 private:
  void Accept() {
    while (!stopping_) {
      UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      const int raw = fd.get();
      const int number = count_++;
      {
        MutexLock lock(mutex_);
        connections_.push_back(std::move(fd));
      }
      threads_.emplace_back([this, raw, number] {
        Peer peer(raw, number);
        script_(peer);
        shutdown(raw, SHUT_RDWR);
      });
    }
  }

  Script script_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> count_{0};
  std::vector<std::thread> threads_;  // of the acceptor's thread, then of the destructor's
  Mutex mutex_;
  std::vector<UniqueFd> connections_ ND_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/neuraldeck-keeper-test-XXXXXX";
    if (mkdtemp(name) == nullptr) abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A loop with a thread of its own.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() {
    loop_.Stop();
    thread_.join();
  }
  net::Loop& loop() { return loop_; }
  // Runs `task` on the loop and waits for it.
  void Do(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task();
      done.set_value();
    });
    if (done.get_future().wait_for(kGiveUp) != std::future_status::ready) abort();
  }

 private:
  net::Loop loop_{0};
  std::thread thread_;
};

class KeeperTest : public testing::Test {
 protected:
  // The vault lives in `folder_`; a second start finds what the first one stored.
  void StartKeeper(const std::vector<std::string>& providers, UpstreamTimeouts timeouts = {},
                   const std::string& ca_file = {}) {
    roots_ = vault::RootKeyFile(folder_.path() + "/roots");
    auto opened = vault::Vault::Open(folder_.path() + "/secrets.enc", *roots_, clock_, random_);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    vault_ = *std::move(opened);
    KeeperOptions options;
    for (const auto& text : providers) {
      auto provider = ProviderConfig::Parse(text);
      ASSERT_TRUE(provider.ok()) << provider.error().public_text;
      options.providers.push_back(*std::move(provider));
    }
    options.timeouts = timeouts;
    options.ca_file = ca_file;
    options.use_flush_interval = use_flush_interval_;
    auto pair = ipc::MakePair();
    ASSERT_TRUE(pair.ok());
    back_ = std::make_unique<LoopThread>();
    front_ = std::make_unique<LoopThread>();
    back_->Do([&] {
      auto keeper = Keeper::Create(back_->loop(), *vault_, std::move(options), clock_, random_);
      if (!keeper.ok()) abort();
      keeper_ = *std::move(keeper);
      keeper_->AddChannel(std::move(pair->first));
    });
    front_->Do([&] { client_ = Client::Create(front_->loop(), std::move(pair->second)); });
  }
  void StopKeeper() {
    if (front_) front_->Do([&] { client_.reset(); });
    if (back_) back_->Do([&] { keeper_.reset(); });
    front_.reset();
    back_.reset();
    vault_.reset();
  }
  void TearDown() override { StopKeeper(); }

  // Runs a coroutine on the front's loop and waits for its value.
  template <class T>
  T Await(net::Task<T> task) {
    auto value = std::make_shared<std::promise<T>>();
    auto future = value->get_future();
    front_->loop().Post([this, value, held = std::make_shared<net::Task<T>>(std::move(task))] {
      net::asio::co_spawn(front_->loop().executor(), Fulfil(std::move(*held), value), net::asio::detached);
    });
    if (future.wait_for(kGiveUp) != std::future_status::ready) abort();
    return future.get();
  }

  void PutKey(const std::string& provider, const std::string& owner, std::string_view key) {
    const auto put = Await(client_->PutKey(provider, owner, "label", Secret(key)));
    ASSERT_TRUE(put.ok()) << put.error().detail << put.error().public_text;
  }

  std::unique_ptr<Call> Start(CallRequest request) {
    std::unique_ptr<Call> call;
    front_->Do([&] { call = client_->Start(std::move(request)); });
    return call;
  }
  static CallRequest Chat(std::string provider, std::string user = "alice") {
    CallRequest request;
    request.provider = std::move(provider);
    request.user = std::move(user);
    request.body = "{}";
    return request;
  }
  void Drop(std::unique_ptr<Call>& call) {
    front_->Do([&] { call.reset(); });
  }
  // The whole body.
  std::string ReadAll(Call& call) {
    std::string body;
    while (true) {
      auto chunk = Await(call.Next());
      if (!chunk.ok()) return body + "<error: " + chunk.error().detail + ">";
      if (!chunk->has_value()) return body;
      body += **chunk;
    }
  }
  // Head and body of one call, as "200 application/json body".
  std::string Talk(CallRequest request) {
    auto call = Start(std::move(request));
    const auto head = Await(call->Head());
    std::string said;
    if (!head.ok()) {
      said = std::string(head.error().code) + " " + head.error().detail;
    } else {
      said = std::to_string(head->status) + " " + head->content_type + " ";
      said += head->status < 400 ? ReadAll(*call) : head->error_code;
    }
    Drop(call);
    return said;
  }

  TemporaryFolder folder_;
  std::chrono::milliseconds use_flush_interval_ = KeeperOptions{}.use_flush_interval;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<vault::RootKeySource> roots_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<LoopThread> back_, front_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<Client> client_;

 private:
  template <class T>
  static net::Task<> Fulfil(net::Task<T> task, std::shared_ptr<std::promise<T>> value) {
    value->set_value(co_await std::move(task));
  }
};

}  // namespace nd::keeper
