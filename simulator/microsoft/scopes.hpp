#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulator/grant.hpp"

namespace latchkey::simulator::entra {

/// The API a scope belongs to. A token is for one of them.
enum class Resource { kSignIn, kGraph, kOutlook };

/// A scope Entra knows.
struct Scope {
  std::string_view name;        ///< Without the resource: "Mail.Read", "openid".
  std::string_view permission;  ///< Of the consent page; empty for the scopes of sign-in.
  Resource resource = Resource::kGraph;
  bool personal = true;  ///< Whether personal accounts can grant it.
};

/// Finds "Mail.Read", "https://graph.microsoft.com/Mail.Read", "https://outlook.office.com/SMTP.Send", "openid", in any
/// case. nullptr for everything else.
const Scope* FindScope(std::string_view name);

/// As token responses write it: sign-in scopes bare, the others with their resource in front.
std::string LongName(const Scope& scope);

/// Sign-in scopes first, then the others, each in its long form, space separated. offline_access is not echoed.
std::string FormatScopes(const ScopeSet& scopes);

/// The name under which grants keep a scope: "Mail.Read" for Graph, the long form for other resources.
std::string GrantName(const Scope& scope);

}  // namespace latchkey::simulator::entra
