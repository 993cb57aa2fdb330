#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/grant.hpp"

namespace latchkey::simulator {

/// std::ranges::contains, which libstdc++ 12 does not have.
template <class Range, class Value>
bool Contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

/// A scope Google knows, in the long form of token responses, with the words of the consent page.
struct Scope {
  std::string_view name;
  std::string_view permission;  ///< Empty for the scopes of sign-in, which are never asked about one by one.
};

/// nullptr for a scope Google does not know. "email" and "profile" find their userinfo.* long forms.
const Scope* FindScope(std::string_view name);

inline bool IsSignIn(const Scope& scope) { return scope.permission.empty(); }

/// True when nothing but sign-in is in the set: such refresh tokens do not die in testing mode.
bool OnlySignIn(const ScopeSet& scopes);

/// Splits at blanks; empty pieces are left out.
std::vector<std::string> SplitScopes(std::string_view text);

/// Space separated, in an order of Google's own ("openid" first), never the one asked for.
std::string FormatScopes(const ScopeSet& scopes);

}  // namespace latchkey::simulator
