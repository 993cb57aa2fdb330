#pragma once

#include <string>

#include "simulator/google/id_token.hpp"
#include "simulator/microsoft/entra_keys.hpp"

namespace latchkey::simulator::entra {

/// Claims of a v2.0 ID token for the account's kind of tenant, times of the machine's own clock. `base` is where the
/// issuer begins. profile gives name, preferred_username and oid; email the account's email claim, and xms_edov when it
/// has one.
std::string MakeEntraIdToken(const EntraKeys& keys, const Grant& grant, const std::string& base,
                             const std::string& nonce, IdTokenVariant variant);

/// The pairwise subject of an account at a client.
std::string PairwiseSubject(const Account& account, std::string_view client_id);

}  // namespace latchkey::simulator::entra
