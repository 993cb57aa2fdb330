#include "tests/integration/support/browser.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <cctype>

namespace latchkey::integration {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<HttpReply*>(out)->body.append(data, size * count);
  return size * count;
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* out) {
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    auto value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    static_cast<HttpReply*>(out)->headers.emplace_back(line.substr(0, colon), value);
  }
  return size * count;
}

struct Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

}  // namespace

std::string HttpReply::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return value;
  }
  return {};
}

std::vector<std::string> HttpReply::All(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) out.push_back(value);
  }
  return out;
}

boost::json::value HttpReply::Json() const {
  boost::json::error_code error;
  auto value = boost::json::parse(body, error);
  return error ? boost::json::value() : value;
}

std::string HttpReply::Code() const {
  const auto value = Json();
  const auto* object = value.if_object();
  const auto* code = object ? object->if_contains("code") : nullptr;
  return code && code->is_string() ? std::string(code->as_string()) : std::string();
}

HttpReply Fetch(const HttpCall& call) {
  static thread_local Handle handle;
  CURL* curl = handle.curl;
  curl_easy_reset(curl);  // Keeps the connections.
  HttpReply reply;
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  for (const auto& header : call.headers) headers = curl_slist_append(headers, header.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!call.body.empty() || call.method == "POST" || call.method == "PATCH") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    // libcurl would call every body a form.
    if (call.body.empty()) headers = curl_slist_append(headers, "Content-Type:");
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60'000L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  if (curl_easy_perform(curl) == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
  }
  curl_slist_free_all(headers);
  return reply;
}

HttpReply Browser::Send(HttpCall call) {
  const auto cookie = CookieHeader(call.url);
  if (!cookie.empty()) call.headers.push_back("Cookie: " + cookie);
  auto reply = Fetch(call);
  auto& jar = cookies_[HostOf(call.url)];
  for (const auto& line : reply.All("Set-Cookie")) {
    const auto equals = line.find('=');
    const auto end = line.find(';');
    if (equals == std::string::npos) continue;
    const auto name = line.substr(0, equals);
    const auto attributes = end == std::string::npos ? std::string() : line.substr(end + 1);
    if (attributes.contains("Max-Age=0")) {
      jar.erase(name);
    } else {
      jar[name] = {line.substr(equals + 1, end - equals - 1), attributes};
    }
  }
  if (observer_) observer_(call, reply);
  return reply;
}

HttpReply Browser::Navigate(const std::string& url) {
  HttpCall call;
  call.url = url;
  call.headers = {"Accept: text/html,application/xhtml+xml", "Sec-Fetch-Mode: navigate"};
  return Send(call);
}

std::string Browser::CookieValue(const std::string& host, const std::string& name) const {
  const auto jar = cookies_.find(host);
  if (jar == cookies_.end()) return {};
  const auto cookie = jar->second.find(name);
  return cookie == jar->second.end() ? std::string() : cookie->second.value;
}

std::string Browser::CookieHeader(const std::string& url) const {
  const auto jar = cookies_.find(HostOf(url));
  std::string out;
  if (jar == cookies_.end()) return out;
  for (const auto& [name, cookie] : jar->second) {
    if (!out.empty()) out += "; ";
    out += name + "=" + cookie.value;
  }
  return out;
}

std::string HostOf(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  return parsed ? std::string(parsed->host()) : std::string();
}

std::string PathOf(const std::string& url) {
  const auto parsed = boost::urls::parse_uri_reference(url);
  return parsed ? std::string(parsed->encoded_path()) : std::string();
}

std::string QueryOf(const std::string& url, const std::string& name) {
  const auto parsed = boost::urls::parse_uri_reference(url);
  if (!parsed) return {};
  for (const auto& parameter : parsed->params()) {
    if (parameter.key == name) return parameter.value;
  }
  return {};
}

std::string WithQuery(const std::string& url, const std::string& name, const std::string& value) {
  const auto parsed = boost::urls::parse_uri_reference(url);
  if (!parsed) return url;
  boost::urls::url out(*parsed);
  out.params().set(name, value);
  return std::string(out.buffer());
}

}  // namespace latchkey::integration
