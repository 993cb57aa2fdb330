#include "tests/examples/example.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace latchkey::examples {
namespace {

namespace bj = boost::json;

const bj::value* Step(const bj::value& value, std::string_view key) {
  if (value.is_object()) return value.get_object().if_contains(key);
  if (!value.is_array()) return nullptr;
  std::size_t index = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index < value.get_array().size() ? &value.get_array()[index] : nullptr;
}

std::string AsText(const bj::value& value) {
  return value.is_string() ? std::string(value.get_string()) : bj::serialize(value);
}

}  // namespace

const bj::value& Example::At(std::string_view path) const {
  static const bj::value kNull;
  const std::size_t first = path.find('/');
  const bj::value* found = document.if_contains(path.substr(0, first));
  std::string_view rest = first == std::string_view::npos ? std::string_view() : path.substr(first + 1);
  while (!rest.empty() && found != nullptr) {
    const std::size_t slash = rest.find('/');
    found = Step(*found, rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  if (found == nullptr) ADD_FAILURE() << name << ": nothing at " << path;
  return found == nullptr ? kNull : *found;
}

std::string Example::Text(std::string_view path) const { return AsText(At(path)); }

http_client::HttpResponse Example::Response(std::string_view member) const {
  http_client::HttpResponse response;
  const auto& described = At(member);
  if (!described.is_object()) return response;
  const auto& object = described.get_object();
  if (const auto* status = object.if_contains("status"); status != nullptr && status->is_int64())
    response.status = static_cast<int>(status->get_int64());
  if (const auto* headers = object.if_contains("headers"); headers != nullptr && headers->is_object()) {
    for (const auto& [key, value] : headers->get_object())
      response.headers.emplace_back(std::string(key), AsText(value));
  }
  if (const auto* body = object.if_contains("body"); body != nullptr && !body->is_null()) response.body = AsText(*body);
  return response;
}

std::filesystem::path Folder() {
  if (const char* set = std::getenv("LATCHKEY_EXAMPLES")) return set;
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "providers" / "examples";
}

const std::map<std::string, Example>& All() {
  static const std::map<std::string, Example> kAll = [] {
    std::map<std::string, Example> all;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(Folder(), missing)) {
      if (entry.path().extension() != ".json") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      Example example{.name = entry.path().stem().string(), .document = bj::parse(text.str()).as_object()};
      all.emplace(example.name, std::move(example));
    }
    return all;
  }();
  return kAll;
}

void ExpectError(const Error& error, ErrorCode code, FaultOwner owner,
                 std::optional<std::chrono::milliseconds> retry_after) {
  EXPECT_EQ(ToString(error.code), ToString(code)) << error.detail;
  EXPECT_EQ(static_cast<int>(OwnerOf(error.code)), static_cast<int>(owner)) << ToString(error.code);
  EXPECT_EQ(error.retry_after, retry_after) << error.detail;
}

}  // namespace latchkey::examples
