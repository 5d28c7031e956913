#include "app/print.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "base/json.h"

namespace nd::app {

namespace {
struct Column {
  std::string_view member, title;
};
struct Table {
  std::size_t act;
  std::string_view list;  // the member that holds the rows
  std::vector<Column> columns;
};

template <class Act>
std::size_t IndexOf() {
  return AdminAct(Act{}).index();
}

const std::vector<Table>& Tables() {
  static const std::vector<Table> tables = {
      {IndexOf<ListUsers>(),
       "users",
       {{"userId", "USER"}, {"role", "ROLE"}, {"disabled", "DISABLED"}, {"createdAt", "CREATED"}}},
      {IndexOf<ListTokens>(),
       "tokens",
       {{"id", "ID"},
        {"user", "USER"},
        {"name", "NAME"},
        {"scopes", "SCOPES"},
        {"expiresAt", "EXPIRES"},
        {"lastUsedAt", "LAST USED"}}},
      {IndexOf<ListUserSessions>(),
       "sessions",
       {{"id", "ID"}, {"userId", "USER"}, {"createdAt", "SINCE"}, {"lastSeenAt", "LAST SEEN"}, {"address", "ADDRESS"}}},
      {IndexOf<ListKeys>(),
       "providers",
       {{"provider", "PROVIDER"},
        {"owner", "OWNER"},
        {"last4", "ENDS IN"},
        {"label", "LABEL"},
        {"updatedAt", "UPDATED"},
        {"status", "STATUS"}}},
  };
  return tables;
}

// Values of ours, but labels and agents come from outside: what a terminal would obey is shown escaped.
std::string Shown(const boost::json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (const boost::json::array* list = value.if_array()) {
    std::string text;
    for (const auto& item : *list) text.append(text.empty() ? "" : " ").append(Shown(item));
    return text.empty() ? "-" : text;
  }
  if (const boost::json::string* string = value.if_string()) {
    if (string->empty()) return "-";
    std::string quoted;
    AppendJsonString(quoted, std::string_view(*string));
    return quoted.substr(1, quoted.size() - 2);
  }
  return boost::json::serialize(value);
}

void AppendTable(std::string& text, const boost::json::array& rows, const std::vector<Column>& columns) {
  std::vector<std::vector<std::string>> cells(1);
  for (const Column& column : columns) cells.front().emplace_back(column.title);
  for (const boost::json::value& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const Column& column : columns) {
      const boost::json::value* value = row.is_object() ? row.get_object().if_contains(column.member) : nullptr;
      line.push_back(value == nullptr ? "-" : Shown(*value));
    }
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text.append(line[i]);
      if (i + 1 < line.size()) text.append(widths[i] - line[i].size() + 2, ' ');
    }
    text.push_back('\n');
  }
}
}  // namespace

Secret RenderAnswer(std::size_t act_index, const Secret& answer, OutputStyle style) {
  std::string text;
  text.reserve(2 * answer.size() + 4'096);
  const auto document = ParseJson(answer.ExposeSecret(), {.max_depth = 8, .max_values = 500'000});
  if (style == OutputStyle::kJson || !document.ok() || !document->root().is_object()) {
    text.append(answer.ExposeSecret()).push_back('\n');
  } else {
    const boost::json::object& object = document->root().get_object();
    const auto table = std::ranges::find(Tables(), act_index, &Table::act);
    const boost::json::value* rows = table == Tables().end() ? nullptr : object.if_contains(table->list);
    if (rows != nullptr && rows->is_array()) {
      AppendTable(text, rows->get_array(), table->columns);
    } else {
      for (const auto& member : object) {
        if (member.key() == "success") continue;
        text.append(std::string_view(member.key())).append(": ").append(Shown(member.value())).push_back('\n');
      }
      if (text.empty()) text.append("done\n");
    }
  }
  Secret rendered(text);
  WipeMemory(text.data(), text.size());
  return rendered;
}

}  // namespace nd::app
