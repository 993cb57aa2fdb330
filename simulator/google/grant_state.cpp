// How consents and refresh tokens outlive the program.
#include <boost/json/array.hpp>

#include "simulator/google/grant_store.hpp"

namespace latchkey::simulator {
namespace {

boost::json::array ToArray(const ScopeSet& scopes) { return boost::json::array(scopes.begin(), scopes.end()); }

ScopeSet ToScopes(const boost::json::value& list) {
  ScopeSet scopes;
  for (const boost::json::value& scope : list.as_array()) scopes.emplace(std::string_view(scope.as_string()));
  return scopes;
}

std::string_view TextOf(const boost::json::value& value) { return value.as_string(); }

}  // namespace

boost::json::object GrantStore::Save() const {
  boost::json::array grants;
  for (const auto& [key, consent] : consents_) {
    boost::json::array tokens;
    for (const std::string& text : consent.refresh_tokens) {
      const auto found = refresh_.find(text);
      if (found == refresh_.end()) continue;
      boost::json::object token;
      token["token"] = text;
      token["scopes"] = ToArray(found->second.grant.scopes);
      token["last_used"] = FormatInstant(found->second.last_used);
      if (found->second.expires) token["expires"] = FormatInstant(*found->second.expires);
      tokens.push_back(std::move(token));
    }
    boost::json::object grant;
    grant["sub"] = key.first->sub;
    grant["client_id"] = key.second;
    grant["scopes"] = ToArray(consent.scopes);
    grant["gave_refresh_token"] = consent.gave_refresh_token;
    grant["refresh_tokens"] = std::move(tokens);
    grants.push_back(std::move(grant));
  }
  boost::json::object saved;
  saved["version"] = 1;
  saved["grants"] = std::move(grants);
  return saved;
}

bool GrantStore::Load(const boost::json::object& saved, const AccountRegistry& accounts) {
  try {
    if (saved.at("version") != 1) return false;
    for (const boost::json::value& entry : saved.at("grants").as_array()) {
      const boost::json::object& grant = entry.as_object();
      const Account* account = accounts.FindBySub(TextOf(grant.at("sub")));
      if (!account) continue;
      const std::string client_id(TextOf(grant.at("client_id")));
      Consent& consent = consents_[ConsentKey(account, client_id)];
      consent.scopes = ToScopes(grant.at("scopes"));
      consent.gave_refresh_token = grant.at("gave_refresh_token").as_bool();
      for (const boost::json::value& each : grant.at("refresh_tokens").as_array()) {
        const boost::json::object& token = each.as_object();
        const std::string text(TextOf(token.at("token")));
        RefreshToken kept{Grant{account, client_id, ToScopes(token.at("scopes"))},
                          ParseInstant(TextOf(token.at("last_used"))).value(), std::nullopt};
        if (const auto* expires = token.if_contains("expires")) kept.expires = ParseInstant(TextOf(*expires)).value();
        refresh_.insert_or_assign(text, std::move(kept));
        consent.refresh_tokens.push_back(text);
      }
    }
    return true;
  } catch (const std::exception&) {  // Boost.JSON's accessors and a bad date: the file is not ours.
    return false;
  }
}

}  // namespace latchkey::simulator
