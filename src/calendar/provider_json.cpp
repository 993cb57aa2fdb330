#include "calendar/provider_json.hpp"

namespace latchkey::calendar {
namespace {

/// The code unit of \uXXXX whose backslash is at `at`; -1 when there is none.
int UnitAt(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

void ReplaceLoneSurrogates(std::string& json) {
  std::size_t at = 0;
  while ((at = json.find('\\', at)) != std::string::npos) {
    const int unit = UnitAt(json, at);
    if (unit < 0) {
      at += 2;  // Another escape; "\\" is one as a whole.
      continue;
    }
    const int next = UnitAt(json, at + 6);
    if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
      at += 12;
      continue;
    }
    if (unit >= 0xD800 && unit < 0xE000) json.replace(at + 2, 4, "FFFD");
    at += 6;
  }
}

}  // namespace

std::optional<JsonElement> ParseAnswer(simdjson::dom::parser& parser, std::string& json) {
  ReplaceLoneSurrogates(json);
  JsonElement element;
  if (parser.parse(json).get(element) != simdjson::SUCCESS) return std::nullopt;
  return element;
}

std::optional<JsonElement> MemberOf(JsonElement object, std::string_view name) {
  simdjson::dom::object members;
  JsonElement element;
  if (object.get_object().get(members) != simdjson::SUCCESS) return std::nullopt;
  if (members.at_key(name).get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return element;
}

std::string_view TextOf(JsonElement object, std::string_view name) {
  const auto member = MemberOf(object, name);
  std::string_view text;
  if (!member || member->get_string().get(text) != simdjson::SUCCESS) return {};
  return text;
}

bool FlagOf(JsonElement object, std::string_view name) {
  const auto member = MemberOf(object, name);
  bool flag = false;
  return member && member->get_bool().get(flag) == simdjson::SUCCESS && flag;
}

std::optional<std::int64_t> NumberOf(JsonElement object, std::string_view name) {
  const auto member = MemberOf(object, name);
  std::int64_t number = 0;
  if (!member || member->get_int64().get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

}  // namespace latchkey::calendar
