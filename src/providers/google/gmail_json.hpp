#pragma once

#include "mail/json_strings.hpp"

namespace latchkey::google {

using mail::JsonStrings;
using mail::Padded;
using mail::ThreadParser;

}  // namespace latchkey::google
