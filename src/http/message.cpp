#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "http/cookie.hpp"

namespace latchkey::http {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Fields whose value is a list: a second line continues the first (RFC 9110 section 5.3). We look at the first.
bool MayRepeat(std::string_view name) {
  constexpr std::array<std::string_view, 7> kLists = {
      "accept", "accept-encoding", "accept-language", "cache-control", "connection", "if-none-match", "via"};
  return std::ranges::any_of(kLists, [&](std::string_view list) { return EqualsIgnoreCase(name, list); });
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, Lower, Lower);
}

bool IsMediaType(std::string_view content_type, std::string_view type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && (content_type.back() == ' ' || content_type.back() == '\t')) {
    content_type.remove_suffix(1);
  }
  return EqualsIgnoreCase(content_type, type);
}

std::optional<std::string_view> Request::FindHeader(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const Header& header : headers) {
    if (!EqualsIgnoreCase(header.name, name)) continue;
    if (!found) {
      found = header.value;
    } else if (!MayRepeat(name)) {
      return std::nullopt;
    }
  }
  return found;
}

std::optional<std::string_view> Request::FindQuery(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

bool Request::HasRepeatedQuery(std::string_view name) const {
  return std::ranges::count(query, name, [](const auto& pair) { return std::string_view(pair.first); }) > 1;
}

std::string_view Request::PathParameter(std::string_view name) const {
  for (const auto& [key, value] : path_parameters) {
    if (key == name) return value;
  }
  throw std::logic_error("the route has no such path parameter");
}

std::optional<std::string_view> Request::FindCookie(std::string_view name) const {
  const auto header = FindHeader("cookie");
  if (!header) return std::nullopt;
  return http::FindCookie(*header, name);
}

void Response::SetHeader(std::string_view name, std::string value) {
  std::erase_if(headers, [&](const Header& header) { return EqualsIgnoreCase(header.name, name); });
  AddHeader(name, std::move(value));
}

void Response::AddHeader(std::string_view name, std::string value) {
  headers.push_back({std::string(name), std::move(value)});
}

}  // namespace latchkey::http
