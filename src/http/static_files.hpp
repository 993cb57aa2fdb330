#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::http {

/// One embedded file. Everything points into the program's own read-only data.
struct Asset {
  std::string_view path;          ///< "/assets/index-3f2a.js", as requested.
  std::string_view content_type;  ///< Full value, for example "text/html; charset=utf-8".
  std::string_view etag;          ///< With quotes; one per content, whatever its encoding.
  std::string_view identity;
  std::string_view gzip;    ///< Empty when there is none, or when it would not be smaller.
  std::string_view brotli;  ///< Likewise.
  bool immutable = false;   ///< The name holds a hash of the content: cacheable for a year.
};

/// Serves embedded files with content negotiation (br, gzip, identity) and conditional requests (If-None-Match).
class StaticFiles {
 public:
  explicit StaticFiles(std::span<const Asset> assets) : assets_(assets) {}

  const Asset* Find(std::string_view path) const;
  /// For GET and HEAD.
  Response Serve(const Asset& asset, const Request& request) const;
  /// Find and Serve in one; nullopt for unknown paths and other methods.
  std::optional<Response> TryServe(const Request& request) const;

 private:
  std::span<const Asset> assets_;
};

}  // namespace latchkey::http
