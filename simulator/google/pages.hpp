#pragma once

#include <string>
#include <vector>

#include "simulator/google/authorization_request.hpp"

namespace latchkey::simulator {

/// Plain server-made HTML without scripts: works in every browser and with every test tool.
std::string ChooserPage(const std::string& client_name, const std::string& request_id,
                        const std::vector<const Account*>& accounts);
/// `asked` are the permissions that need an answer; more than one get a ticked box each.
std::string ConsentPage(const std::string& client_name, const std::string& request_id, const Account& account,
                        const std::vector<const Scope*>& asked);
std::string ErrorPage(const std::string& client_name, const PageError& error);

}  // namespace latchkey::simulator
