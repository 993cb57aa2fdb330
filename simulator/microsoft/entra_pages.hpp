#pragma once

#include <string>
#include <vector>

#include "simulator/microsoft/entra_request.hpp"

namespace latchkey::simulator::entra {

// Plain server-made HTML without scripts. `action` is the path the page's form posts to.

std::string ChooserPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                        const std::vector<const Account*>& accounts);
/// Everything or nothing: there are no boxes. `for_organisation`: the administrator's page.
std::string ConsentPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                        const Account& account, const std::vector<const Scope*>& asked, bool for_organisation);
/// AADSTS90094, with a link (a button of the form) that goes back without consent.
std::string AdminApprovalPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                              const Account& account);
std::string ErrorPage(const PageError& error, Instant now);
std::string SignedOutPage();

}  // namespace latchkey::simulator::entra
