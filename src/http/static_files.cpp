#include "http/static_files.hpp"

#include <algorithm>

namespace latchkey::http {

namespace {

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Calls `visit` with every element of a comma separated list until it returns true.
template <class Visit>
bool AnyElement(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    if (visit(Trim(list.substr(0, end)))) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

/// Whether `coding` may be sent: named, or covered by "*", with a weight above zero (RFC 9110 section 12.5.3).
bool Accepts(std::string_view accept_encoding, std::string_view coding) {
  bool named = false, accepted = false, star = false;
  AnyElement(accept_encoding, [&](std::string_view element) {
    const std::size_t semicolon = element.find(';');
    const std::string_view name = Trim(element.substr(0, semicolon));
    std::string_view weight =
        semicolon == std::string_view::npos ? std::string_view() : Trim(element.substr(semicolon + 1));
    // Every way of writing zero: 0, 0., 0.0, 0.00, 0.000.
    bool zero = false;
    if (weight.size() >= 3 && (weight[0] == 'q' || weight[0] == 'Q') && weight[1] == '=') {
      weight.remove_prefix(2);
      zero = weight.find_first_not_of("0.") == std::string_view::npos;
    }
    if (EqualsIgnoreCase(name, coding)) {
      named = true;
      accepted = !zero;
    } else if (name == "*") {
      star = !zero;
    }
    return false;
  });
  return named ? accepted : star;
}

/// RFC 9110 section 13.1.2: weak comparison, list or "*".
bool Matches(std::string_view if_none_match, std::string_view etag) {
  return AnyElement(if_none_match, [&](std::string_view element) {
    if (element == "*") return true;
    if (element.starts_with("W/")) element.remove_prefix(2);
    return element == etag;
  });
}

}  // namespace

const Asset* StaticFiles::Find(std::string_view path) const {
  const auto found = std::ranges::find(assets_, path, &Asset::path);
  return found == assets_.end() ? nullptr : &*found;
}

Response StaticFiles::Serve(const Asset& asset, const Request& request) const {
  Response response;
  const auto accept = request.FindHeader("accept-encoding").value_or("");
  std::string_view body = asset.identity;
  std::string_view coding;
  if (!asset.brotli.empty() && Accepts(accept, "br")) {
    body = asset.brotli;
    coding = "br";
  } else if (!asset.gzip.empty() && Accepts(accept, "gzip")) {
    body = asset.gzip;
    coding = "gzip";
  }
  response.headers.reserve(6);
  response.AddHeader("Content-Type", std::string(asset.content_type));
  // The tag names the content; a weak one because its encodings share it (RFC 9110 section 8.8.3.3).
  response.AddHeader("ETag", "W/" + std::string(asset.etag));
  response.AddHeader("Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (!asset.gzip.empty() || !asset.brotli.empty()) response.AddHeader("Vary", "Accept-Encoding");
  if (const auto known = request.FindHeader("if-none-match"); known && Matches(*known, asset.etag)) {
    response.status = 304;
    return response;
  }
  if (!coding.empty()) response.AddHeader("Content-Encoding", std::string(coding));
  response.static_body = body;
  return response;
}

std::optional<Response> StaticFiles::TryServe(const Request& request) const {
  if (request.method != Method::kGet && request.method != Method::kHead) return std::nullopt;
  const Asset* const asset = Find(request.path);
  if (!asset) return std::nullopt;
  return Serve(*asset, request);
}

}  // namespace latchkey::http
