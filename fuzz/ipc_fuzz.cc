// Frames between our processes and every message inside them: nothing crashes, and a stream means the same however it
// is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "ipc/frame.h"
#include "keeper/front_secrets.h"
#include "keeper/messages.h"

namespace {

using namespace nd;

struct Decoded {
  std::vector<std::string> frames;
  bool failed = false;
  bool operator==(const Decoded&) const = default;
};

Decoded Decode(std::string_view bytes, std::size_t step) {
  ipc::FrameDecoder decoder;
  Decoded decoded;
  while (!bytes.empty() && !decoded.failed) {
    const auto room = decoder.Room();
    const std::size_t size = std::min({room.size(), step, bytes.size()});
    std::copy_n(bytes.begin(), size, room.begin());
    decoder.Commit(size);
    bytes.remove_prefix(size);
    while (true) {
      const auto frame = decoder.Next();
      decoded.failed = !frame.ok();
      if (!frame.ok() || !frame->has_value()) break;
      decoded.frames.push_back(
          std::string(ipc::View(ipc::EncodeFrame((*frame)->type, (*frame)->call, (*frame)->payload))));
    }
  }
  return decoded;
}

// What decodes must be what its value encodes to.
template <class Decode>
void RoundTrip(std::string_view payload, Decode decode) {
  const auto value = decode(payload);
  if (!value.ok()) return;
  const ipc::Bytes again = keeper::Encode(*value);
  if (ipc::View(again) != payload) abort();
}

void DecodeEverything(std::string_view payload) {
  using namespace keeper;
  RoundTrip(payload, DecodePutKey);
  RoundTrip(payload, DecodeKeyReference);
  RoundTrip(payload, DecodeCallStart);
  RoundTrip(payload, DecodeCallHead);
  RoundTrip(payload, DecodeFrontSecrets);
  RoundTrip(payload, DecodeProviders);
  RoundTrip(payload, DecodeKeys);
  RoundTrip(payload, DecodeKey);
  RoundTrip(payload, DecodeStatus);
  RoundTrip(payload, DecodeSigningRing);
  static_cast<void>(DecodeError(payload));
  static_cast<void>(DecodeNumber(payload));
  static_cast<void>(DecodeText(payload));
  static_cast<void>(DecodeEmpty(payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = Decode(bytes, bytes.size() + 1);
  if (Decode(bytes, 1) != whole) abort();
  std::string again;
  for (const std::string& frame : whole.frames) again += frame;
  if (!bytes.starts_with(again)) abort();
  for (const std::string& frame : whole.frames) DecodeEverything(std::string_view(frame).substr(nd::ipc::kFrameHeader));
  DecodeEverything(bytes);
  return 0;
}
