#pragma once

#include <string_view>

namespace latchkey::microsoft {

/// Permission to read the person's own entry; asked for with every connection.
inline constexpr std::string_view kUserRead = "https://graph.microsoft.com/User.Read";

}  // namespace latchkey::microsoft
