// Requests as they come from the wire, through head parser, chunked decoder and intake. However the bytes are cut, the
// same requests and the same refusal must come out.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "http/intake.h"

namespace {

using nd::http::Intake;

constexpr std::size_t kBodyLimit = 4'096;

nd::http::Limits SmallLimits() {
  nd::http::Limits limits;
  limits.header_bytes = 1'024;
  limits.header_fields = 16;
  limits.target_bytes = 256;
  limits.chunk_overhead = 64;
  return limits;
}

void Check(bool holds) {
  if (!holds) std::abort();
}

void Note(std::string& log, const Intake& intake) {
  const nd::http::Request& request = intake.request();
  log += std::string(request.method_text) + ' ' + std::string(request.target) + '\n';
  Check(request.target.starts_with('/') && request.Has(nd::http::Known::kHost));
  for (const auto& field : request.fields) {
    Check(!field.name.empty() && field.value.find_first_of("\r\n") == std::string_view::npos);
    log += std::string(field.name) + ": " + std::string(field.value) + '\n';
  }
  Check(request.body.size() <= kBodyLimit);
  log += std::string(request.body) + '\n';
}

// False once the input is refused.
bool Feed(Intake& intake, std::string_view input, std::string& log) {
  for (;;) {
    switch (intake.Advance()) {
      case Intake::Step::kNeedMore: {
        if (input.empty()) return true;
        const auto room = intake.Room();
        Check(!room.empty());
        const std::size_t take = std::min(room.size(), input.size());
        std::memcpy(room.data(), input.data(), take);
        intake.Received(take);
        input.remove_prefix(take);
        break;
      }
      case Intake::Step::kHead:
        // Both ways of going on are taken, depending on the target.
        if (intake.request().path.size() % 2 == 0 || intake.framing().content_length > kBodyLimit) {
          const bool chunked = intake.framing().chunked;
          intake.SkipBody();
          if (chunked || intake.framing().content_length > kBodyLimit) return false;
        } else {
          intake.AcceptBody(kBodyLimit);
        }
        break;
      case Intake::Step::kComplete:
        Note(log, intake);
        intake.EndRequest();
        break;
      case Intake::Step::kRefused:
        log += std::to_string(intake.refusal().status) + std::string(intake.refusal().what);
        return false;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nd::http::Limits kLimits = SmallLimits();
  if (size < 2) return 0;
  const std::size_t cut = (static_cast<std::size_t>(data[0]) << 8 | data[1]) % (size - 1);
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);

  std::string whole;
  Intake at_once(kLimits);
  Feed(at_once, input, whole);

  std::string halves;
  Intake in_two(kLimits);
  if (Feed(in_two, input.substr(0, cut), halves)) Feed(in_two, input.substr(cut), halves);
  Check(whole == halves);

  std::string bytes;
  Intake one_by_one(kLimits);
  for (std::size_t i = 0; i < input.size() && Feed(one_by_one, input.substr(i, 1), bytes); ++i) {
  }
  Check(whole == bytes);
  return 0;
}
