#include "simulator/calendar/ics.hpp"

#include <algorithm>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator::calendar {
namespace {

constexpr std::size_t kMaxDepth = 8;

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// Takes the next logical line: continuation lines begin with a blank or a tab, and, in vCalendar's quoted-printable,
/// the line before ends with "=".
bool NextLine(std::string_view& text, std::string& line) {
  line.clear();
  bool first = true;
  while (!text.empty()) {
    const bool soft_break = !first && line.ends_with('=') && line.find("QUOTED-PRINTABLE") != std::string::npos;
    if (!first && text.front() != ' ' && text.front() != '\t' && !soft_break) return true;
    if (soft_break) {
      line.pop_back();
    } else if (!first) {
      text.remove_prefix(1);
    }
    const std::size_t end = text.find_first_of("\r\n");
    line.append(text.substr(0, end));
    if (end == std::string_view::npos) {
      text = {};
    } else {
      const bool both = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
      text.remove_prefix(end + (both ? 2 : 1));
    }
    first = false;
  }
  return !first;
}

bool ReadProperty(std::string_view line, IcsProperty& property) {
  const std::size_t name_end = line.find_first_of(";:");
  if (name_end == std::string_view::npos || name_end == 0) return false;
  property.name = Upper(mime::Trim(line.substr(0, name_end)));
  line.remove_prefix(name_end);
  while (line.starts_with(';')) {
    line.remove_prefix(1);
    const std::size_t equals = line.find_first_of("=;:");
    if (equals == std::string_view::npos) return false;
    std::pair<std::string, std::string> parameter{Upper(line.substr(0, equals)), {}};
    line.remove_prefix(equals);
    if (line.starts_with('=')) {
      line.remove_prefix(1);
      bool quoted = false;
      std::size_t i = 0;
      for (; i < line.size() && (quoted || (line[i] != ';' && line[i] != ':')); ++i) {
        if (line[i] == '"') {
          quoted = !quoted;
        } else {
          parameter.second += line[i];
        }
      }
      line.remove_prefix(i);
    } else if (parameter.first == "QUOTED-PRINTABLE" || parameter.first == "BASE64") {
      parameter = {"ENCODING", parameter.first};  // vCalendar writes values without their names.
    }
    property.parameters.push_back(std::move(parameter));
  }
  if (!line.starts_with(':')) return false;
  property.value = line.substr(1);
  if (mime::EqualsNoCase(property.Parameter("ENCODING"), "QUOTED-PRINTABLE")) {
    std::string decoded;
    mime::AppendQuotedPrintableDecoded(decoded, property.value);
    property.value = mime::ToUtf8(decoded, property.Parameter("CHARSET"));
  }
  return true;
}

}  // namespace

std::string_view IcsProperty::Parameter(std::string_view wanted) const {
  const auto found = std::ranges::find_if(parameters, [&](const auto& parameter) { return parameter.first == wanted; });
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::string IcsProperty::Text() const {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      out += value[i];
      continue;
    }
    const char next = value[++i];
    if (next == 'n' || next == 'N') {
      out += '\n';
    } else {
      if (next != '\\' && next != ';' && next != ',' && next != '"' && next != ':') out += '\\';
      out += next;
    }
  }
  return out;
}

const IcsProperty* IcsComponent::Find(std::string_view wanted) const {
  const auto found = std::ranges::find(properties, wanted, &IcsProperty::name);
  return found == properties.end() ? nullptr : &*found;
}

std::string IcsComponent::Text(std::string_view wanted) const {
  const IcsProperty* property = Find(wanted);
  return property ? property->Text() : "";
}

IcsComponent ParseIcs(std::string_view bytes) {
  const std::string text = mime::ToUtf8(bytes, "");
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  std::vector<IcsComponent> open(1);
  std::size_t too_deep = 0;
  std::string line;
  const auto close = [&] {
    IcsComponent done = std::move(open.back());
    open.pop_back();
    open.back().components.push_back(std::move(done));
  };
  while (NextLine(rest, line)) {
    IcsProperty property;
    if (!ReadProperty(line, property)) continue;
    if (property.name == "BEGIN") {
      if (open.size() > kMaxDepth) {
        ++too_deep;
      } else {
        open.emplace_back().name = Upper(mime::Trim(property.value));
      }
    } else if (property.name == "END") {
      const std::string name = Upper(mime::Trim(property.value));
      if (too_deep > 0) {
        --too_deep;
      } else if (std::ranges::find(open, name, &IcsComponent::name) != open.end() && !name.empty()) {
        while (open.back().name != name) close();
        close();
      }
    } else if (too_deep == 0) {
      open.back().properties.push_back(std::move(property));
    }
  }
  while (open.size() > 1) close();
  return std::move(open.front());
}

}  // namespace latchkey::simulator::calendar
