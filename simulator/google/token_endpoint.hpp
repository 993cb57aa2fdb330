#pragma once

#include "simulator/google/grant_store.hpp"
#include "simulator/google/id_token.hpp"
#include "simulator/http/message.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator {

/// POST /google/token and /google/revoke, GET /google/tokeninfo and /google/userinfo. Loop thread only.
class TokenEndpoint {
 public:
  TokenEndpoint(GrantStore& grants, const SigningKeys& keys, const Settings& settings)
      : grants_(grants), keys_(keys), settings_(settings) {}

  Response Token(const Request& request, IdTokenVariant variant);
  Response Revoke(const Request& request);
  Response TokenInfo(const Request& request) const;
  Response UserInfo(const Request& request) const;

 private:
  Response RedeemCode(const Request& request, const Parameters& form, const std::string& client_id,
                      IdTokenVariant variant);
  Response Refresh(const Request& request, const Parameters& form, const std::string& client_id,
                   IdTokenVariant variant);
  Response Answer(const Request& request, const IssuedTokens& tokens, const std::string& nonce, IdTokenVariant variant);
  Response Refuse(int status, std::string_view error, std::string_view description);

  GrantStore& grants_;
  const SigningKeys& keys_;
  const Settings& settings_;
};

}  // namespace latchkey::simulator
