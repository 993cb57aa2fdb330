#pragma once

#include <optional>
#include <string_view>

namespace latchkey::images {

/// The media type of bytes that begin as a PNG, JPEG, GIF or WebP does; nullopt for all else, whatever a header claims
/// (WHATWG MIME Sniffing section 6.1). Any thread.
std::optional<std::string_view> ImageTypeOf(std::string_view bytes);

}  // namespace latchkey::images
