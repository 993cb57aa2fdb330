#pragma once

#include <string>
#include <string_view>

namespace latchkey::api {

/// Content-Disposition (RFC 6266) that makes a browser save the file under a harmless form of a name chosen by a
/// stranger: no path, no control or direction characters, at most 150 bytes, never empty; as ASCII fallback and as
/// UTF-8 (RFC 8187).
std::string AttachmentDisposition(std::string_view name);

}  // namespace latchkey::api
