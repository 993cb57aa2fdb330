#pragma once

#include <expected>
#include <string>
#include <vector>

#include "simulator/accounts.hpp"
#include "simulator/google/scopes.hpp"
#include "simulator/http/message.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator {

/// Shown on Google's own page; the client never hears of it.
struct PageError {
  int status = 400;
  std::string code;
  std::string explanation;
};

/// A checked authorization request.
struct AuthorizationRequest {
  std::string client_id;
  std::string redirect_uri;
  std::vector<const Scope*> scopes;  ///< In the order asked for, without doubles.
  std::string state;
  std::string nonce;
  std::string challenge;
  std::string challenge_method;
  std::string login_hint;
  std::string hd;
  std::string prompt_text;
  bool offline = false;
  bool include_granted = false;
  bool prompt_none = false;
  bool prompt_consent = false;
  bool prompt_select_account = false;

  static std::expected<AuthorizationRequest, PageError> Parse(const Parameters& query, const Settings& settings);

  /// The redirect back with `parameters` appended, and state when there is one.
  std::string Redirect(const std::vector<std::pair<std::string, std::string>>& parameters) const;
  /// Whether `account` may be chosen under `hd`.
  bool Admits(const Account& account) const;
};

}  // namespace latchkey::simulator
