#include "audit/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "audit/redact.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace nd::audit {

namespace {

constexpr std::size_t kMaxBody = kMaxLine - kMaxFrame;
// Names of people, tokens, requests and reasons: nothing of ours comes near it.
constexpr std::size_t kMaxName = 512;
constexpr std::size_t kFirstValueLimit = 16 * 1024;

constexpr std::string_view kActorKinds[] = {"user", "agent", "system", "anonymous"};
constexpr std::string_view kPhases[] = {"intent", "outcome"};
constexpr std::string_view kOutcomes[] = {"success", "failure", "denied", "unknown"};

// At most `limit` bytes of `text`, cut between characters, and a mark that tells how many are left out.
std::string Cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t keep = limit;
  for (int back = 0; back < 3 && keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xc0) == 0x80; ++back) --keep;
  return fmt::format("{}…[cut {}]", text.substr(0, keep), text.size() - keep);
}

// A data member after schema and redaction.
struct Clean {
  std::string_view name;
  DataValue value;
};

std::vector<Clean> Sift(const Record& record, std::size_t& dropped) {
  const auto schema = SchemaOf(record.event);
  std::vector<Clean> kept;
  kept.reserve(std::min(record.data.size(), schema.size()));
  for (const auto& [name, value] : record.data) {
    const auto row = std::find(schema.begin(), schema.end(), name);
    const bool twice = std::any_of(kept.begin(), kept.end(), [&, key = name](const Clean& c) { return c.name == key; });
    if (row == schema.end() || twice) {
      ++dropped;
      continue;
    }
    Clean clean{*row, value};
    if (auto* text = std::get_if<std::string>(&clean.value)) {
      if (!IsHashMember(name) || !IsSha256Hex(*text)) *text = Redact(*text);
    } else if (auto* list = std::get_if<std::vector<std::string>>(&clean.value)) {
      for (std::string& item : *list) item = Redact(item);
    }
    kept.push_back(std::move(clean));
  }
  return kept;
}

void WriteList(JsonWriter& json, const std::vector<std::string>& list, std::size_t limit) {
  json.BeginArray();
  std::size_t spent = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (spent > limit) {
      json.String(fmt::format("…[cut {}]", list.size() - i));
      break;
    }
    const std::string item = Cut(list[i], limit - spent);
    spent += item.size() + 4;
    json.String(item);
  }
  json.EndArray();
}

void WriteValue(JsonWriter& json, const DataValue& value, std::size_t limit) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.String(Cut(*text, limit));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    json.Integer(*number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    json.Bool(*flag);
  } else {
    WriteList(json, std::get<std::vector<std::string>>(value), limit);
  }
}

// The members before `target`, which have small limits of their own.
std::string RenderNames(const Record& record) {
  const auto name = [](std::string_view text) { return Cut(Redact(text), kMaxName); };
  const auto optional = [&](const std::optional<std::string>& text) {
    return text ? std::optional(name(*text)) : std::nullopt;
  };
  const auto unless_empty = [&](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(name(text));
  };
  std::string out;
  JsonWriter json(out);
  json.Member("event", EventName(record.event)).Member("vocab", record.vocabulary.substr(0, kMaxName));
  json.Key("actor").BeginObject().Member("kind", kActorKinds[static_cast<int>(record.actor.kind)]);
  json.Member("id", name(record.actor.id)).MemberOrNull("for", optional(record.actor.on_behalf_of)).EndObject();
  json.MemberOrNull("session", unless_empty(record.session)).MemberOrNull("addr", unless_empty(record.address));
  json.MemberOrNull("req", unless_empty(record.request_id)).Member("action", record.action.substr(0, kMaxName));
  return out;
}

// The members between `target` and `data`.
std::string RenderOutcome(const Record& record) {
  std::string out;
  JsonWriter json(out);
  json.Member("phase", kPhases[static_cast<int>(record.phase)]);
  json.Member("outcome", kOutcomes[static_cast<int>(record.outcome)]).Key("reason");
  if (record.reason) {
    json.String(Cut(Redact(*record.reason), kMaxName));
  } else {
    json.Null();
  }
  return out;
}

}  // namespace

Body RenderBody(const Record& record) {
  Body body;
  const std::vector<Clean> data = Sift(record, body.dropped_members);
  const std::string names = RenderNames(record);
  const std::string outcome = RenderOutcome(record);
  const std::string target = Redact(record.target);
  // Escapes grow a text up to sixfold, so the limit that fits is found by trying; nearly always the first one does.
  for (std::size_t limit = kFirstValueLimit;; limit /= 2) {
    body.json.clear();
    JsonWriter json(body.json);
    json.Raw(names).Member("target", Cut(target, limit)).Raw(outcome).Key("data").BeginObject();
    for (const Clean& member : data) WriteValue(json.Key(member.name), member.value, limit);
    json.EndObject();
    if (body.json.size() <= kMaxBody || limit == 0) return body;
  }
}

void AppendLine(std::string& out, WallTime at, std::uint64_t sequence, std::string_view body, std::string_view prev) {
  out.append("{\"ts\":\"").append(FormatRfc3339Micros(at)).append("\",\"seq\":");
  fmt::format_to(std::back_inserter(out), "{}", sequence);
  out.append(",").append(body).append(",\"prev\":\"").append(prev).append("\"}\n");
}

std::string HashLine(std::string_view line) { return EncodeHex(Sha256(line)); }

std::optional<LineHead> ParseLine(std::string_view line) {
  static constexpr std::string_view kMembers[] = {"ts",   "seq", "event",  "vocab",  "actor", "session", "addr", "req",
                                                  "action", "target", "phase", "outcome", "reason", "data", "prev"};
  if (line.size() > kMaxLine || !line.ends_with('\n')) return std::nullopt;
  line.remove_suffix(1);
  if (!line.starts_with("{\"ts\":\"") || !line.ends_with("\"}") || HasControlCharacter(line)) return std::nullopt;
  JsonLimits limits;
  limits.max_depth = 4;
  limits.max_values = kMaxLine;
  const auto document = ParseJson(line, limits);
  if (!document.ok()) return std::nullopt;
  const boost::json::object* object = document->root().if_object();
  if (object == nullptr || object->size() != std::size(kMembers)) return std::nullopt;
  std::size_t i = 0;
  for (const auto& member : *object) {
    if (std::string_view(member.key()) != kMembers[i++]) return std::nullopt;
  }
  const boost::json::value& number = object->at("seq");
  const boost::json::string* prev = object->at("prev").if_string();
  LineHead head;
  if (number.is_int64() && number.get_int64() > 0) {
    head.sequence = static_cast<std::uint64_t>(number.get_int64());
  } else if (number.is_uint64()) {
    head.sequence = number.get_uint64();
  }
  if (head.sequence == 0 || prev == nullptr || !IsSha256Hex(*prev)) return std::nullopt;
  head.prev.assign(prev->data(), prev->size());
  return head;
}

}  // namespace nd::audit
