// Runs blocking work on a Worker and resumes the coroutine on its loop.
#pragma once

#include <memory>
#include <utility>

#include "base/worker.h"
#include "net/loop.h"

namespace nd::server {

// `work` returns Result<T> and runs on a thread of `worker`; everything it refers to must outlive it even if the coroutine
// is destroyed, so it takes what it needs by value. A full queue is kUnavailable with Retry-After.
//
// Give `work` as a named object that is moved in: g++ 12 destroys a lambda that is a temporary of a co_await expression
// twice (tests/layers_test.py looks for it).
template <class Work>
auto Offload(net::Loop& loop, Worker& worker, Work work) -> net::Task<decltype(work())> {
  using R = decltype(work());
  auto start = [&loop, &worker](auto handler, Work job) {
    struct Shared {
      decltype(handler) resume;
      Work run;
    };
    auto shared = std::make_shared<Shared>(Shared{std::move(handler), std::move(job)});
    const bool taken = worker.Submit([shared, &loop] {
      auto result = std::make_shared<R>(shared->run());
      loop.Post([shared, result] { std::move(shared->resume)(std::move(*result)); });
    });
    if (!taken) {
      loop.Post([shared] {
        std::move(shared->resume)(R(Unavailable("The server is busy with other requests of this kind; try again in a moment.",
                                                "a worker's queue is full", 1)));
      });
    }
  };
  co_return co_await net::asio::async_initiate<decltype(net::kAwait), void(R)>(start, net::kAwait, std::move(work));
}

}  // namespace nd::server
