#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator::entra {

/// One way Entra refuses. The number is what its documents list; `slug` tells apart those that share one.
struct EntraError {
  std::string_view slug;
  std::uint32_t number = 0;
  int status = 400;
  std::string_view error;
  std::string_view suberror;
  std::string_view text;    ///< "{}" stands for `detail`.
  std::string_view claims;  ///< JSON of a claims challenge.
};

/// By slug ("mfa", "bad-secret"); never nullptr for a slug of this program's own code.
const EntraError* FindError(std::string_view slug);

/// "AADSTS70008: … Trace ID: … Correlation ID: … Timestamp: …" as Entra writes it into redirects and bodies.
std::string Describe(const EntraError& error, std::string_view detail, Instant now);

/// The token endpoint's answer.
Response TokenError(const EntraError& error, std::string_view detail, Instant now);

/// Names of the fault payloads: "microsoft.token.error.50076.mfa.400".
std::vector<std::string> PayloadNames();
std::optional<Response> MakePayload(std::string_view name, Instant now);

}  // namespace latchkey::simulator::entra
