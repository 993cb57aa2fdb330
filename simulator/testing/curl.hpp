#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace latchkey::simulator::testing {

/// What a request came to. `code` is curl's own verdict; status and body may be partial when it is not CURLE_OK.
struct Reply {
  CURLcode code = CURLE_OK;
  long status = 0;
  long http_version = 0;
  long new_connections = 0;
  std::string content_type;
  std::string location;
  std::string headers;
  std::string body;
};

/// A blocking client on one connection, for tests. Follows no redirects.
class Curl {
 public:
  Curl() : handle_(curl_easy_init()) { curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1); }
  ~Curl() { curl_easy_cleanup(handle_); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  /// CURL_HTTP_VERSION_1_1 (default), _2TLS or _2_PRIOR_KNOWLEDGE.
  void UseVersion(long version) { curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, version); }
  void TrustCa(const std::string& file) { curl_easy_setopt(handle_, CURLOPT_CAINFO, file.c_str()); }

  Reply Get(const std::string& url, std::vector<std::string> headers = {}) {
    return Send("GET", url, std::nullopt, std::move(headers));
  }
  Reply Post(const std::string& url, std::string body, std::vector<std::string> headers = {}) {
    return Send("POST", url, std::move(body), std::move(headers));
  }

  Reply Send(const char* method, const std::string& url, std::optional<std::string> body,
             std::vector<std::string> headers = {}) {
    Reply reply;
    curl_slist* list = nullptr;
    for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
    curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Append);
    curl_easy_setopt(handle_, CURLOPT_HEADERDATA, &reply.headers);
    curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &Append);
    curl_easy_setopt(handle_, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle_, CURLOPT_NOBODY, std::string_view(method) == "HEAD" ? 1L : 0L);
    if (body) {
      curl_easy_setopt(handle_, CURLOPT_POST, 1L);
      curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
      curl_easy_setopt(handle_, CURLOPT_COPYPOSTFIELDS, body->c_str());
    }
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method);
    reply.code = curl_easy_perform(handle_);
    curl_slist_free_all(list);
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &reply.http_version);
    curl_easy_getinfo(handle_, CURLINFO_NUM_CONNECTS, &reply.new_connections);
    const char* text = nullptr;
    if (curl_easy_getinfo(handle_, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text) reply.content_type = text;
    if (curl_easy_getinfo(handle_, CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text) reply.location = text;
    return reply;
  }

 private:
  static std::size_t Append(char* data, std::size_t size, std::size_t count, void* target) {
    static_cast<std::string*>(target)->append(data, size * count);
    return size * count;
  }

  CURL* handle_;
};

}  // namespace latchkey::simulator::testing
