// The control socket's requests and answers: nothing that arrives may do more than be refused, and what is understood
// is written back as it was read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/admin_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto act = nd::app::DecodeAct(line);
  if (act.ok()) {
    const nd::Secret written = nd::app::EncodeAct(*act);
    // An escaped text may grow beyond what a request may have; then there is no way back.
    if (written.size() <= nd::app::kMaxRequestLine) {
      const auto again = nd::app::DecodeAct(written.ExposeSecret());
      if (!again.ok() || !(nd::app::EncodeAct(*again) == written)) std::abort();
    }
  }
  (void)nd::app::DecodeAnswer(line);
  return 0;
}
