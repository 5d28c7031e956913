// A record of arbitrary content becomes exactly one clean line without the token that was planted in it, and whatever may
// be a line or a text is judged without a crash.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "audit/record.h"
#include "audit/redact.h"
#include "base/json.h"
#include "base/text.h"

namespace {

using nd::audit::Record;

constexpr std::string_view kCanary = "sk-ant-api03-CANARY0canary1";

void Require(bool holds) {
  if (!holds) std::abort();
}

// Takes the input apart: a byte says how long the next piece is.
class Pieces {
 public:
  explicit Pieces(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return byte;
  }
  std::string Text() {
    const std::uint8_t head = Byte();
    std::string text(bytes_.substr(0, head & 0x3f));
    bytes_.remove_prefix(text.size());
    // Long texts without long inputs.
    if ((head & 0x40) != 0 && repeats_ > 0) {
      --repeats_;
      const std::string once = text;
      for (int i = 0; i < 300; ++i) text += once;
    }
    if ((head & 0x80) != 0) text.append(" ").append(kCanary).append(" ");
    return text;
  }

 private:
  std::string_view bytes_;
  int repeats_ = 4;  // more would only make the fuzzer slow
};

void CheckRecord(std::string_view input) {
  Pieces pieces(input);
  Record record;
  record.event = static_cast<nd::audit::Event>(pieces.Byte() % static_cast<int>(nd::audit::Event::kCount));
  record.vocabulary = "sensitive_update";
  record.action = "update";
  record.actor.kind = static_cast<nd::audit::ActorKind>(pieces.Byte() % 4);
  record.actor.id = pieces.Text();
  if (pieces.Byte() % 2 == 0) record.actor.on_behalf_of = pieces.Text();
  record.session = pieces.Text();
  record.address = pieces.Text();
  record.request_id = pieces.Text();
  record.target = pieces.Text();
  if (pieces.Byte() % 2 == 0) record.reason = pieces.Text();
  const auto schema = nd::audit::SchemaOf(record.event);
  std::size_t foreign = 0;
  for (int i = 0; i < 8; ++i) {
    const std::uint8_t choice = pieces.Byte();
    std::string_view name = "foreign";
    if (choice % 16 < schema.size()) {
      name = schema[choice % 16];
    } else {
      ++foreign;
    }
    switch (choice >> 6) {
      case 0: record.data.emplace_back(name, pieces.Text()); break;
      case 1: record.data.emplace_back(name, std::vector<std::string>(pieces.Byte() % 5, pieces.Text())); break;
      case 2: record.data.emplace_back(name, std::int64_t{pieces.Byte()} - 128); break;
      default: record.data.emplace_back(name, true);
    }
  }

  const nd::audit::Body body = nd::audit::RenderBody(record);
  Require(body.dropped_members >= foreign);
  std::string line;
  nd::audit::AppendLine(line, nd::WallTime(std::chrono::hours(500'000)), UINT64_MAX, body.json, nd::audit::kFirstPrev);
  Require(line.size() <= nd::audit::kMaxLine);
  Require(line.find('\n') == line.size() - 1);
  line.pop_back();
  Require(!nd::HasControlCharacter(line) && nd::IsValidUtf8(line));
  nd::JsonLimits limits;
  limits.max_values = nd::audit::kMaxLine;
  Require(nd::ParseJson(line, limits).ok());
  Require(nd::audit::ParseLine(line + "\n").has_value());
  Require(line.find(kCanary) == std::string::npos);
  Require(line.find("\"foreign\":") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckRecord(input);
  const std::string once = nd::audit::Redact(input);
  Require(nd::audit::Redact(once) == once);
  static_cast<void>(nd::audit::ParseLine(input));
  return 0;
}
