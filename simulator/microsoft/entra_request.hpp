#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "simulator/accounts.hpp"
#include "simulator/microsoft/entra_errors.hpp"
#include "simulator/microsoft/scopes.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator::entra {

/// Who may sign in under the first segment of a path.
struct Tenant {
  enum class Kind { kCommon, kOrganizations, kConsumers, kOne };
  Kind kind = Kind::kCommon;
  std::string tid;  ///< For kConsumers and kOne.

  /// nullopt: no such tenant (AADSTS90002).
  static std::optional<Tenant> Find(std::string_view segment, const AccountRegistry& accounts);
  bool Admits(const Account& account) const;
  /// "{tenantid}" for common and organizations, whose issuer is a template.
  std::string IssuerTenant() const { return tid.empty() ? "{tenantid}" : tid; }
};

/// Shown on Microsoft's own page; the client never hears of it.
struct PageError {
  const EntraError* error = nullptr;
  std::string detail;
};

/// Where and how an answer goes back to the client.
struct ReplyTo {
  enum class Mode { kQuery, kFragment, kFormPost };
  std::string redirect_uri;
  std::string state;
  Mode mode = Mode::kQuery;
};
using ReplyParameters = std::vector<std::pair<std::string, std::string>>;

/// 302, or for form_post a page that posts itself with a button for browsers without scripts.
Response Reply(const ReplyTo& to, ReplyParameters parameters);
/// The redirect alone; for form_post the bare redirect URI.
std::string ReplyLocation(const ReplyTo& to, ReplyParameters parameters);

/// A checked authorization request.
struct EntraRequest {
  Tenant tenant;
  std::string tenant_segment;
  std::string client_id;
  ReplyTo reply_to;
  std::vector<const Scope*> scopes;  ///< In the order asked for, without doubles.
  std::string nonce;
  std::string challenge;
  std::string challenge_method;
  std::string login_hint;
  std::string domain_hint;
  std::string prompt;  ///< "", "login", "none", "consent", "select_account".

  /// What the client hears, or what only the page says.
  struct Refused {
    std::optional<PageError> page;
    ReplyTo reply_to;  ///< Without `page`: where `error` goes.
    std::string error;
    std::string description;
  };
  static std::expected<EntraRequest, Refused> Parse(std::string_view tenant, const Parameters& query,
                                                    const AccountRegistry& accounts, const Settings& settings,
                                                    Instant now);

  bool Admits(const Account& account) const;
};

}  // namespace latchkey::simulator::entra
