#include <cstdint>
#include <cstdlib>
#include <string>

#include "simulator/faults/fault.hpp"
#include "simulator/google/authorization_request.hpp"
#include "simulator/oauth_client.hpp"

// A target with its query, as anybody may send it: no crash, and a request that is accepted leads back to loopback
// only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::simulator;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Request request;
  request.SetTarget(text);
  if (request.path.contains('?')) std::abort();
  const auto parsed = AuthorizationRequest::Parse(request.query, Settings{});
  if (parsed && !IsLoopbackUri(parsed->redirect_uri)) std::abort();
  if (!PathMatches("/**", request.path)) std::abort();
  PathMatches("/gmail/v1/users/*/messages/*", request.path);
  return 0;
}
