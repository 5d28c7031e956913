// Reads one provider's answer (RFC 9112) from bytes as they come.
//
// Pure; not thread-safe. Once it has failed it fails for ever. Keeps of the header only what the keeper uses.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nd::keeper {

inline constexpr std::size_t kMaxResponseHeader = 32 * 1024;

struct UpstreamHead {
  int status = 0;
  std::string content_type;     // as it stands in the header
  std::string retry_after;      // as it stands in the header
  bool identity_coding = true;  // false: the body is compressed though we asked for it not to be
};

class UpstreamParser {
 public:
  UpstreamParser();
  ~UpstreamParser();
  UpstreamParser(const UpstreamParser&) = delete;
  UpstreamParser& operator=(const UpstreamParser&) = delete;

  // Takes bytes; appends those of the body to `body`. Informational answers (1xx) are passed over. kUnavailable if it
  // is not HTTP or a limit is passed. Bytes after the end of the answer make it not reusable.
  Result<void> Push(std::string_view bytes, std::string& body);
  // The stream has ended. kUnavailable if the answer is not complete.
  Result<void> End();

  bool started() const;  // at least one byte came
  bool have_head() const;
  const UpstreamHead& head() const;  // precondition: have_head()
  bool done() const;
  // The connection may carry another request: complete, keep-alive, nothing left over. Precondition: done().
  bool reusable() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nd::keeper
