#include "images/image_type.hpp"

namespace latchkey::images {

std::optional<std::string_view> ImageTypeOf(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff"sv)) return "image/jpeg";
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return "image/gif";
  if (bytes.size() >= 14 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 6) == "WEBPVP"sv) return "image/webp";
  return std::nullopt;
}

}  // namespace latchkey::images
