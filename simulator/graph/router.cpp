#include "simulator/graph/router.hpp"

#include <charconv>

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include "base/encoding.hpp"

namespace latchkey::simulator::graph {
namespace {

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return segments;
}

/// "mailFolders('a''b')" as {"mailFolders", "a'b"}.
std::optional<std::pair<std::string, std::string>> SplitKey(std::string_view segment) {
  const std::size_t open = segment.find("('");
  if (open == std::string_view::npos || open == 0 || !segment.ends_with("')") || segment.size() < open + 4) {
    return std::nullopt;
  }
  std::string key;
  const std::string_view quoted = segment.substr(open + 2, segment.size() - open - 4);
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    key += quoted[i];
    if (quoted[i] == '\'' && i + 1 < quoted.size() && quoted[i + 1] == '\'') ++i;
  }
  return std::pair(std::string(segment.substr(0, open)), std::move(key));
}

/// What may stand in a path segment, and '=' and '$' besides, which Graph's ids and functions contain.
std::string EncodeSegment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '=' || c == '$' || c == '@') {
      out += c;
    } else {
      out += PercentEncode(std::string_view(&c, 1));
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> Call::Preference(std::string_view name) const {
  for (const auto& field : request.headers) {
    if (!EqualsIgnoreCase(field.name, "Prefer")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find_first_of(",;");
      std::string_view item = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      const std::size_t equals = item.find('=');
      if (!EqualsIgnoreCase(item.substr(0, equals), name)) continue;
      std::string_view value = equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return std::string(value);
    }
  }
  return std::nullopt;
}

bool Call::immutable_ids() const { return EqualsIgnoreCase(Preference("IdType").value_or(""), "ImmutableId"); }

bool Call::wants_text_body() const {
  return EqualsIgnoreCase(Preference("outlook.body-content-type").value_or(""), "text");
}

std::optional<std::size_t> Call::preferred_page_size() const {
  const auto text = Preference("odata.maxpagesize");
  if (!text) return std::nullopt;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (error != std::errc() || end != text->data() + text->size() || size == 0) return std::nullopt;
  return size;
}

std::string Call::Context(std::string_view rest) const {
  return fmt::format("{}/$metadata#users('{}')/{}", base(), PercentEncode(account.email), rest);
}

std::expected<boost::json::object, Response> Call::Body() const {
  if (request.body.empty()) return boost::json::object();
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(request.body, error);
  if (error || !value.is_object()) {
    return std::unexpected(
        BadRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and "
                   "payload is of valid JSON format.",
                   now));
  }
  return std::move(value.as_object());
}

void Router::Add(Route route) {
  Entry entry;
  entry.segments = Split(route.path);
  for (const std::string& segment : entry.segments) entry.literals += segment == "{}" ? 0 : 1;
  entry.route = std::move(route);
  entries_.push_back(std::move(entry));
}

Router::Match Router::Find(const Request& request) const {
  Match match;
  std::size_t best = 0;
  const auto& segments = request.segments;
  for (const Entry& entry : entries_) {
    // The first segment is the version.
    if (segments.size() != entry.segments.size() + 1) continue;
    bool fits = true;
    for (std::size_t i = 0; fits && i < entry.segments.size(); ++i) {
      fits =
          entry.segments[i] == "{}" ? !segments[i + 1].empty() : EqualsIgnoreCase(entry.segments[i], segments[i + 1]);
    }
    if (!fits || (match.route && entry.literals <= best)) continue;
    if (entry.route.method != request.method) {
      match.other_method = true;
      continue;
    }
    best = entry.literals;
    match.route = &entry.route;
    match.parameters.clear();
    for (std::size_t i = 0; i < entry.segments.size(); ++i) {
      if (entry.segments[i] == "{}") match.parameters.push_back(segments[i + 1]);
    }
  }
  return match;
}

std::string Router::Name(const Request& request) const {
  const Match match = Find(request);
  std::string name = request.method + " /v1.0";
  if (!match.route) return name + "/(other)";
  for (const std::string& segment : Split(match.route->path)) name += "/" + (segment == "{}" ? "{id}" : segment);
  return name;
}

bool Canonicalise(Request& request, const Account* account) {
  std::vector<std::string> segments;
  for (const std::string& segment : request.segments) {
    if (segment.empty()) continue;
    if (auto key = SplitKey(segment)) {
      segments.push_back(std::move(key->first));
      segments.push_back(std::move(key->second));
    } else {
      // Functions may be written delta(), or with their namespace.
      std::string_view name = segment;
      if (name.ends_with("()")) name.remove_suffix(2);
      if (name.starts_with("microsoft.graph.")) name.remove_prefix(16);
      segments.emplace_back(name);
    }
  }
  bool own = true;
  if (segments.size() >= 3 && EqualsIgnoreCase(segments[1], "users")) {
    own = account &&
          (EqualsIgnoreCase(segments[2], account->email) || EqualsIgnoreCase(segments[2], account->microsoft.oid));
    segments.erase(segments.begin() + 1);
    segments[1] = "me";
  }
  request.path.clear();
  for (const std::string& segment : segments) request.path += "/" + EncodeSegment(segment);
  request.segments = std::move(segments);
  return own;
}

}  // namespace latchkey::simulator::graph
