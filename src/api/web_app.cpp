#include "api/web_app.hpp"

#include <algorithm>

namespace latchkey::api {
namespace {

// Nothing inline, styles included: the app sets computed positions through the CSSOM, which the policy leaves alone.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'";

bool WantsPage(const http::Request& request) {
  if (request.path.starts_with("/api/") || request.path.starts_with("/assets/")) return false;
  // A last segment with a dot is a file's name: a missing one must not come back as a page.
  const auto name = request.path.substr(request.path.rfind('/') + 1);
  if (name.contains('.')) return false;
  const auto accept = request.FindHeader("Accept").value_or("");
  return accept.contains("text/html") || accept.contains("*/*");
}

}  // namespace

std::optional<http::Response> WebApp::TryServe(const http::Request& request) const {
  if (request.method != http::Method::kGet && request.method != http::Method::kHead) return std::nullopt;
  const auto* asset = files_.Find(request.path == "/" ? "/index.html" : request.path);
  if (asset == nullptr && WantsPage(request)) asset = files_.Find("/index.html");
  if (asset == nullptr) return std::nullopt;
  auto response = files_.Serve(*asset, request);
  if (asset->content_type.starts_with("text/html"))
    response.SetHeader("Content-Security-Policy", std::string(kPagePolicy));
  return response;
}

}  // namespace latchkey::api
