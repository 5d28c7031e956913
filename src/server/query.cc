#include "server/query.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace nd::server {

namespace {
std::optional<std::string> DecodePercent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const auto byte = text.size() - i >= 3 ? DecodeHex(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte) return std::nullopt;
    out += *byte;
    i += 2;
  }
  if (!IsValidUtf8(out) || HasControlCharacter(out)) return std::nullopt;
  return out;
}
}  // namespace

QueryReader::QueryReader(std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::size_t equals = pair.find('=');
    const auto name = DecodePercent(pair.substr(0, equals));
    const auto value = DecodePercent(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name || !value || name->empty()) {
      Fail("The query string is not validly encoded.");
      return;
    }
    for (const Item& item : items_) {
      if (item.name == *name) Fail("A query parameter occurs twice.");
    }
    items_.push_back({*name, *value});
  }
}

void QueryReader::Fail(std::string text) {
  if (!failure_) failure_ = std::move(text);
}

std::optional<std::string> QueryReader::Text(std::string_view name, std::size_t max_size) {
  for (Item& item : items_) {
    if (item.name != name) continue;
    item.taken = true;
    if (item.value.empty() || item.value.size() > max_size) {
      Fail(fmt::format("The query parameter \"{}\" must have 1 to {} bytes.", name, max_size));
      return std::nullopt;
    }
    return item.value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> QueryReader::Integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto text = Text(name, 20);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (ec != std::errc() || end != text->data() + text->size() || number < min || number > max) {
    Fail(fmt::format("The query parameter \"{}\" must be a whole number from {} to {}.", name, min, max));
    return std::nullopt;
  }
  return number;
}

Result<void> QueryReader::Finish() {
  for (const Item& item : items_) {
    if (!item.taken) Fail("The query string has a parameter that this route does not know.");
  }
  if (failure_) return InvalidInput(*failure_);
  return {};
}

}  // namespace nd::server
