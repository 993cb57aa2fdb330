#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/jws.hpp"

using latchkey::crypto::Jwks;
using latchkey::crypto::JwsAlgorithm;
using latchkey::crypto::UnverifiedJws;

/// A token of any bytes is refused or read, and never verified: nobody holds the key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const Jwks keys = Jwks::Parse(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k",)"
                                       R"("x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
                                       R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]})")
                               .value();
  static const std::vector<JwsAlgorithm> allowed{JwsAlgorithm::kRs256, JwsAlgorithm::kEs256};
  const auto jws = UnverifiedJws::Parse(input, allowed);
  if (!jws) return 0;
  const auto* key = keys.Find(jws->kid().empty() ? "k" : jws->kid());
  if (key != nullptr && jws->Verify(*key)) std::abort();
  return 0;
}
