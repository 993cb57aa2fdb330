#include "simulator/microsoft/scopes.hpp"

#include "simulator/http/message.hpp"

namespace latchkey::simulator::entra {
namespace {

constexpr std::string_view kGraphPrefix = "https://graph.microsoft.com/";
constexpr std::string_view kOutlookPrefix = "https://outlook.office.com/";

constexpr Scope kScopes[] = {
    {"openid", "", Resource::kSignIn},
    {"profile", "", Resource::kSignIn},
    {"email", "", Resource::kSignIn},
    {"offline_access", "Maintain access to data you have given it access to", Resource::kSignIn},
    {"User.Read", "Sign you in and read your profile"},
    {"Mail.ReadBasic", "Read user basic mail"},
    {"Mail.Read", "Read your mail"},
    {"Mail.ReadWrite", "Read and write access to your mail"},
    {"Mail.Send", "Send mail as you"},
    {"Mail.Read.Shared", "Read mail you can access", Resource::kGraph, false},
    {"Mail.ReadWrite.Shared", "Read and write mail you can access", Resource::kGraph, false},
    {"Mail.Send.Shared", "Send mail on behalf of others or yourself", Resource::kGraph, false},
    {"Calendars.ReadBasic", "Read your calendars without details"},
    {"Calendars.Read", "Read your calendars"},
    {"Calendars.ReadWrite", "Have full access to your calendars"},
    {"Calendars.Read.Shared", "Read calendars you can access", Resource::kGraph, false},
    {"Calendars.ReadWrite.Shared", "Read and write to your and shared calendars", Resource::kGraph, false},
    {"MailboxSettings.Read", "Read your mailbox settings"},
    {"MailboxSettings.ReadWrite", "Read and write to your mailbox settings"},
    {"Contacts.Read", "Read your contacts"},
    {"People.Read", "Read your relevant people list"},
    {"IMAP.AccessAsUser.All", "Read and write access to your mail via IMAP", Resource::kOutlook},
    {"SMTP.Send", "Send emails from your mailbox using SMTP", Resource::kOutlook},
};

}  // namespace

const Scope* FindScope(std::string_view name) {
  Resource resource = Resource::kGraph;
  bool bare = false;
  const auto strip = [&](std::string_view prefix) {
    if (name.size() <= prefix.size() || !EqualsIgnoreCase(name.substr(0, prefix.size()), prefix)) return false;
    name.remove_prefix(prefix.size());
    return true;
  };
  if (strip(kOutlookPrefix)) {
    resource = Resource::kOutlook;
  } else if (!strip(kGraphPrefix)) {
    bare = true;
  }
  for (const Scope& scope : kScopes) {
    if (!EqualsIgnoreCase(scope.name, name)) continue;
    if (scope.resource == resource || (bare && scope.resource == Resource::kSignIn)) return &scope;
  }
  return nullptr;
}

std::string LongName(const Scope& scope) {
  switch (scope.resource) {
    case Resource::kSignIn:
      return std::string(scope.name);
    case Resource::kGraph:
      return std::string(kGraphPrefix) + std::string(scope.name);
    case Resource::kOutlook:
      return std::string(kOutlookPrefix) + std::string(scope.name);
  }
  return {};
}

std::string GrantName(const Scope& scope) {
  return scope.resource == Resource::kOutlook ? LongName(scope) : std::string(scope.name);
}

std::string FormatScopes(const ScopeSet& scopes) {
  std::string text;
  for (const Scope& scope : kScopes) {
    if (scope.name == "offline_access" || !scopes.contains(GrantName(scope))) continue;
    if (!text.empty()) text += ' ';
    text += LongName(scope);
  }
  return text;
}

}  // namespace latchkey::simulator::entra
