#include "simulator/microsoft/entra_keys.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/accounts.hpp"

namespace latchkey::simulator::entra {

std::string EntraKeys::Jwks(const std::string& base) const {
  boost::json::array keys;
  for (const bool personal : {false, true}) {
    const boost::json::value side = boost::json::parse(Side(personal).Jwks());
    for (const boost::json::value& entry : side.at("keys").as_array()) {
      boost::json::object key = entry.as_object();
      key.erase("alg");  // Entra's keys have none.
      key["x5t"] = key["kid"];
      key["issuer"] = personal ? base + "/" + std::string(kPersonalTenant) + "/v2.0" : base + "/{tenantid}/v2.0";
      keys.push_back(std::move(key));
    }
  }
  return boost::json::serialize(boost::json::object{{"keys", std::move(keys)}});
}

void EntraKeys::Rotate() {
  work_.Rotate();
  personal_.Rotate();
}

std::vector<std::string> EntraKeys::kids() const {
  std::vector<std::string> kids = work_.kids();
  for (std::string& kid : personal_.kids()) kids.push_back(std::move(kid));
  return kids;
}

}  // namespace latchkey::simulator::entra
