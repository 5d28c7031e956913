// The query string of our own routes, read strictly: known names once each, percent-decoded exactly once.
//
// Not thread-safe. Not for provider-shaped routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nd::server {

class QueryReader {
 public:
  explicit QueryReader(std::string_view query);

  std::optional<std::string> Text(std::string_view name, std::size_t max_size);
  std::optional<std::int64_t> Integer(std::string_view name, std::int64_t min, std::int64_t max);
  // kInvalidInput for the first thing wrong: bad encoding, a name twice or unknown, a value out of bounds.
  Result<void> Finish();

 private:
  struct Item {
    std::string name, value;
    bool taken = false;
  };
  void Fail(std::string text);
  std::vector<Item> items_;
  std::optional<std::string> failure_;
};

}  // namespace nd::server
