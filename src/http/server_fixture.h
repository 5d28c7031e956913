// A server on a loopback port with a small application, its loop on a thread, a clock driven by the test, and a
// blocking client. For tests only.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/text.h"
#include "http/server.h"
#include "net/signal.h"

namespace nd::http {

// An event of the loop's thread that the test's thread waits for. May be destroyed as soon as Wait has returned.
class Event {
 public:
  void Set() {
    const auto state = state_;
    if (!state->set.exchange(true)) state->promise.set_value();
  }
  bool Wait() { return state_->future.wait_for(std::chrono::seconds(10)) == std::future_status::ready; }
  bool happened() const { return state_->set; }

 private:
  struct State {
    std::atomic<bool> set{false};
    std::promise<void> promise;
    std::future<void> future = promise.get_future();
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class TestApplication : public Application {
 public:
  using Handler = std::function<net::Task<>(Exchange&)>;

  explicit TestApplication(net::Loop& loop) : release(loop.executor()) {}

  // Bodies of paths that start with "/body" are read, up to 1,000 bytes; those of "/large" up to 10 MB.
  Admission Admit(const Request& request, net::Loop&) override {
    Admission admission;
    admission.read_body = request.path.starts_with("/body") || request.path.starts_with("/large");
    admission.body_limit = request.path.starts_with("/large") ? 10'000'000 : 1'000;
    ++admitted;
    return admission;
  }

  net::Task<> Handle(Exchange& exchange) override {
    const std::string path(exchange.request().path);
    if (const auto found = handlers.find(path); found != handlers.end()) {
      co_await found->second(exchange);
      co_return;
    }
    Response response;
    response.content_type = "text/plain";
    response.body =
        std::string(exchange.request().method_text) + " " + path + " " + std::string(exchange.request().body);
    exchange.Respond(std::move(response));
  }

  Response Refuse(int status, std::string_view what, std::string_view request_id, std::string_view) override {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = std::string(what) + " [" + std::string(request_id) + "]";
    return response;
  }

  // Set before the first connection.
  std::map<std::string, Handler> handlers;
  // For handlers that wait until the test lets them go on.
  net::Signal release;
  std::atomic<int> admitted{0};
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  bool whole = false;

  bool Has(std::string_view line) const { return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos; }
};

class Client {
 public:
  enum class Mode { kUsual, kSmallReceiveBuffer };

  explicit Client(std::uint16_t port, Mode mode = Mode::kUsual) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (mode == Mode::kSmallReceiveBuffer) {
      const int size = 4096;
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (port != 0) Connect(port);
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  Client& Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return *this;
  }

  // One answer; `head_only` for answers to HEAD.
  enum class Body { kExpected, kNone };
  Answer Read(Body body = Body::kExpected) {
    Answer answer;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!Fill()) return answer;
    }
    const auto end = buffer_.find("\r\n\r\n") + 4;
    answer.head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (body == Body::kNone || answer.status == 100 || answer.status == 204) {
      answer.whole = true;
    } else if (answer.Has("Transfer-Encoding: chunked")) {
      ReadChunks(answer);
    } else {
      const auto at = answer.head.find("Content-Length: ");
      const std::size_t length = std::stoul(answer.head.substr(at + 16));
      while (buffer_.size() < length && Fill()) {
      }
      answer.whole = buffer_.size() >= length;
      answer.body = buffer_.substr(0, length);
      buffer_.erase(0, length);
    }
    return answer;
  }

  // True once the server has closed or reset the connection and nothing is left to read.
  bool AtEnd() { return buffer_.empty() && !Fill() && ended_; }
  void FinishSending() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

 private:
  bool Fill() {
    char piece[65536];
    const ssize_t got = recv(fd_, piece, sizeof piece, 0);
    if (got > 0) buffer_.append(piece, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno == ECONNRESET)) ended_ = true;
    return got > 0;
  }

  void ReadChunks(Answer& answer) {
    for (;;) {
      auto line = buffer_.find("\r\n");
      while (line == std::string::npos) {
        if (!Fill()) return;
        line = buffer_.find("\r\n");
      }
      const std::size_t size = std::stoul(buffer_.substr(0, line), nullptr, 16);
      while (buffer_.size() < line + 2 + size + 2) {
        if (!Fill()) return;
      }
      answer.body += buffer_.substr(line + 2, size);
      buffer_.erase(0, line + 2 + size + 2);
      if (size != 0) continue;
      answer.whole = true;
      return;
    }
  }

  int fd_;
  bool ended_ = false;
  std::string buffer_;
};

class ServerTest : public testing::Test {
 protected:
  void TearDown() override { Shutdown(); }

  // Starts with `limits_` as they are then.
  std::uint16_t Start() {
    table_ = std::make_unique<ConnectionTable>(limits_);
    server_ = std::make_unique<Server>(loop_, application_, limits_, *table_, clock_, random_);
    EXPECT_TRUE(server_->Listen({boost::asio::ip::address_v4::loopback(), 0}, false).ok());
    thread_ = std::thread([this] { loop_.Run(); });
    return port_ = server_->local_endpoint().port();
  }

  void Shutdown() {
    if (!thread_.joinable()) return;
    OnLoop([this] { server_.reset(); });
    Settle();
    loop_.Stop();
    thread_.join();
  }

  void OnLoop(std::function<void()> task) {
    Event done;
    loop_.Post([&] {
      task();
      done.Set();
    });
    ASSERT_TRUE(done.Wait());
  }

  // After this the loop has seen and handled all that was sent to it before.
  void Settle() {
    for (int i = 0; i < 4; ++i) OnLoop([] {});
  }

  void Advance(std::chrono::microseconds by) {
    Settle();
    clock_.Advance(by);
    OnLoop([this] { server_->Sweep(); });
    Settle();
  }

  static std::string Get(const std::string& path, const std::string& fields = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: deck\r\n" + fields + "\r\n";
  }
  static std::string Post(const std::string& path, const std::string& body, const std::string& fields = {}) {
    return PostHead(path, body.size(), fields) + body;
  }
  static std::string PostHead(const std::string& path, std::size_t size, const std::string& fields = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: deck\r\nContent-Length: " + std::to_string(size) + "\r\n" + fields +
           "\r\n";
  }
  static std::string ChunkedHead(const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nHost: deck\r\nTransfer-Encoding: chunked\r\n\r\n";
  }

  Limits limits_;
  ManualClock clock_{WallTime(std::chrono::seconds(784111777))};
  SystemRandom random_;
  net::Loop loop_{0};
  TestApplication application_{loop_};
  std::unique_ptr<ConnectionTable> table_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace nd::http
