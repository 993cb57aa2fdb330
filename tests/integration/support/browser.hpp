#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::integration {

struct HttpReply {
  int status = 0;  ///< 0: no answer.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string Header(std::string_view name) const;
  std::vector<std::string> All(std::string_view name) const;
  std::string Location() const { return Header("Location"); }
  /// The body as JSON; null when it is none.
  boost::json::value Json() const;
  /// `code` of a problem; empty otherwise.
  std::string Code() const;
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
};

/// One exchange without cookies or redirects.
HttpReply Fetch(const HttpCall& call);

/// As much of a browser as the flows need: cookies per host (ports share them, as in browsers), HttpOnly and SameSite
/// kept for tests to look at; redirects are answered, not followed. One thread.
class Browser {
 public:
  struct Cookie {
    std::string value;
    std::string attributes;  ///< As set, after the first ';'.
  };
  /// Called with every exchange, for the contract.
  using Observer = std::function<void(const HttpCall&, const HttpReply&)>;
  explicit Browser(Observer observer = {}) : observer_(std::move(observer)) {}

  HttpReply Send(HttpCall call);
  /// A page navigation.
  HttpReply Navigate(const std::string& url);

  /// By host, then name.
  std::map<std::string, std::map<std::string, Cookie>>& cookies() { return cookies_; }
  std::string CookieValue(const std::string& host, const std::string& name) const;
  /// "a=b; c=d" for a URL's host.
  std::string CookieHeader(const std::string& url) const;

 private:
  Observer observer_;
  std::map<std::string, std::map<std::string, Cookie>> cookies_;
};

std::string HostOf(const std::string& url);
/// The path without query.
std::string PathOf(const std::string& url);
/// One query value, decoded; empty when absent.
std::string QueryOf(const std::string& url, const std::string& name);
/// `url` with one query value replaced.
std::string WithQuery(const std::string& url, const std::string& name, const std::string& value);

}  // namespace latchkey::integration
