#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/grant.hpp"
#include "simulator/graph/errors.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator::graph {

/// One request on its way through a handler: the token was checked, scope and mailbox too.
struct Call {
  Request& request;  ///< Its path is canonical: see Canonicalise.
  const Grant& grant;
  const Account& account;
  Instant now;
  std::vector<std::string> parameters;  ///< What stood in the route's {} segments, decoded.

  const std::string& parameter(std::size_t index) const { return parameters[index]; }
  /// `Prefer: IdType="ImmutableId"`.
  bool immutable_ids() const;
  /// `Prefer: odata.maxpagesize=N`.
  std::optional<std::size_t> preferred_page_size() const;
  /// `Prefer: outlook.body-content-type="text"`.
  bool wants_text_body() const;
  /// The value of `Prefer: NAME="value"`, quotes off; nullopt when not asked for.
  std::optional<std::string> Preference(std::string_view name) const;

  /// "http://127.0.0.1:8025/v1.0"
  std::string base() const { return request.Base() + "/v1.0"; }
  /// "BASE/v1.0/$metadata#users('ada%40example.com')/messages" for "messages".
  std::string Context(std::string_view rest) const;
  /// The body as a JSON object; the error is Graph's answer to anything else. An empty body is an empty object.
  std::expected<boost::json::object, Response> Body() const;
};

using Handler = std::function<Response(Call&)>;

/// One line of Graph's table. Paths are written like "/me/mailFolders/{}/messages".
struct Route {
  std::string method;
  std::string path;
  std::vector<std::string> scopes;  ///< Any of them permits; empty: every token.
  Handler handler;
  bool needs_mailbox = true;  ///< Else 404 MailboxNotEnabledForRESTAPI for accounts without one.
};

/// Graph's table of routes, filled by its areas. Segments compare without case; of several routes that match, the one
/// with most literal segments wins. Loop thread only.
class Router {
 public:
  void Add(Route route);

  struct Match {
    const Route* route = nullptr;  ///< nullptr: nothing there, `allowed_method` says whether another method would do.
    bool other_method = false;
    std::vector<std::string> parameters;
  };
  Match Find(const Request& request) const;
  /// "GET /v1.0/me/mailFolders/{id}/messages" for the counters; the method and "/v1.0/(other)" when unknown.
  std::string Name(const Request& request) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
    std::size_t literals = 0;
  };
  std::vector<Entry> entries_;
};

/// Rewrites a Graph path to one form, so that routes and faults need to know one only: keys in parentheses become
/// segments (mailFolders('inbox') is mailFolders/inbox), users/{address or id} of the token's own account becomes me,
/// doubled slashes go. False: users/… is somebody else.
bool Canonicalise(Request& request, const Account* account);

}  // namespace latchkey::simulator::graph
