#pragma once

#include <string_view>

#include "mail/message.hpp"

namespace latchkey::storage {

/// The stored name of a role: "inbox", "sent", ...; "none" for an ordinary label.
std::string_view RoleName(mail::Label::Role role);
/// kNone for an unknown name.
mail::Label::Role ParseLabelRole(std::string_view name);

}  // namespace latchkey::storage
