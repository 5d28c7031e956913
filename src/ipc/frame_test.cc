#include "ipc/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ipc/fields.h"

namespace nd::ipc {
namespace {

struct Seen {
  int type;
  std::uint64_t call;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

// Feeds `bytes` in pieces of `step`; collects the frames.
std::vector<Seen> Decode(FrameDecoder& decoder, std::string_view bytes, std::size_t step) {
  std::vector<Seen> frames;
  while (!bytes.empty()) {
    const auto room = decoder.Room();
    const std::size_t size = std::min({room.size(), step, bytes.size()});
    std::copy_n(bytes.begin(), size, room.begin());
    decoder.Commit(size);
    bytes.remove_prefix(size);
    while (true) {
      auto frame = decoder.Next();
      if (!frame.ok() || !frame->has_value()) break;
      frames.push_back({(*frame)->type, (*frame)->call, std::string((*frame)->payload)});
    }
  }
  return frames;
}

std::string HeaderFor(std::uint32_t length) {
  Bytes bytes;
  FieldWriter(bytes).U32(length);
  return std::string(View(bytes));
}

TEST(Frame, ComesBackHoweverTheStreamIsCut) {
  Bytes stream;
  Append(stream, View(EncodeFrame(7, 1, "hello")));
  Append(stream, View(EncodeFrame(255, ~0ULL, "")));
  Append(stream, View(EncodeFrame(1, 2, std::string(70'000, 'x'))));
  const std::vector<Seen> expected{{7, 1, "hello"}, {255, ~0ULL, ""}, {1, 2, std::string(70'000, 'x')}};
  for (const std::size_t step : {1UL, 2UL, 13UL, 4096UL, 1UL << 20}) {
    FrameDecoder decoder;
    EXPECT_EQ(Decode(decoder, View(stream), step), expected) << step;
    EXPECT_TRUE(decoder.at_border());
  }
}

TEST(Frame, MayHaveTheLargestPayloadAndNotAByteMore) {
  FrameDecoder decoder;
  const auto frames = Decode(decoder, View(EncodeFrame(1, 1, std::string(kMaxPayload, 'p'))), 1 << 20);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].payload.size(), kMaxPayload);

  FrameDecoder other;
  Decode(other, HeaderFor(kMaxFrame + 1), 4);
  EXPECT_FALSE(other.Next().ok());
}

TEST(Frame, IsRefusedWhenTooShortForItsOwnHeader) {
  FrameDecoder exact;
  EXPECT_EQ(Decode(exact, HeaderFor(9) + std::string(9, '\1'), 100).size(), 1U);
  FrameDecoder decoder;
  Decode(decoder, HeaderFor(8) + std::string(8, '\1'), 100);
  EXPECT_EQ(decoder.Next().error().kind, ErrorKind::kInvalidInput);
}

TEST(Frame, DecoderThatFailedStaysFailed) {
  FrameDecoder decoder;
  Decode(decoder, HeaderFor(0), 4);
  EXPECT_FALSE(decoder.Next().ok());
  EXPECT_TRUE(Decode(decoder, View(EncodeFrame(1, 1, "x")), 100).empty());
  EXPECT_FALSE(decoder.Next().ok());
}

TEST(Frame, DecoderKnowsThatAFrameIsCut) {
  FrameDecoder decoder;
  Decode(decoder, View(EncodeFrame(1, 1, "x")).substr(0, 5), 100);
  EXPECT_FALSE(decoder.at_border());
}

}  // namespace
}  // namespace nd::ipc
