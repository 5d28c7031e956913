// Request ids (ULID) without a system call for each: randomness is drawn in blocks. Ids tell requests apart; they guard
// nothing. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace nd::http {

class RequestIds {
 public:
  explicit RequestIds(Random& random) : blocks_(random) {}
  std::string Next(WallTime now) { return MakeUlid(blocks_, now); }

 private:
  class Blocks final : public Random {
   public:
    explicit Blocks(Random& source) : source_(source) {}
    void Fill(std::span<char> out) override {
      if (block_.size() - used_ < out.size()) {
        source_.Fill(block_);
        used_ = 0;
      }
      std::copy_n(block_.data() + used_, out.size(), out.data());
      used_ += out.size();
    }

   private:
    Random& source_;
    std::array<char, 1280> block_;
    std::size_t used_ = block_.size();
  };

  Blocks blocks_;
};

}  // namespace nd::http
