#include "simulator/google/scopes.hpp"

#include <algorithm>
#include <ranges>

namespace latchkey::simulator {
namespace {

#define LATCHKEY_GOOGLE "https://www.googleapis.com/auth/"
constexpr Scope kScopes[] = {
    {"openid", ""},
    {LATCHKEY_GOOGLE "userinfo.email", ""},
    {LATCHKEY_GOOGLE "userinfo.profile", ""},
    {LATCHKEY_GOOGLE "gmail.readonly", "View your email messages and settings"},
    {LATCHKEY_GOOGLE "gmail.modify", "Read, compose, and send emails from your Gmail account"},
    {LATCHKEY_GOOGLE "gmail.send", "Send email on your behalf"},
    {LATCHKEY_GOOGLE "gmail.compose", "Manage drafts and send emails"},
    {LATCHKEY_GOOGLE "gmail.insert", "Add emails into your Gmail mailbox"},
    {LATCHKEY_GOOGLE "gmail.labels", "See and edit your email labels"},
    {LATCHKEY_GOOGLE "gmail.metadata",
     "View your email message metadata such as labels and headers, but not the email body"},
    {LATCHKEY_GOOGLE "gmail.settings.basic", "See, edit, create, or change your email settings and filters in Gmail"},
    {"https://mail.google.com/", "Read, compose, send, and permanently delete all your email from Gmail"},
    {LATCHKEY_GOOGLE "calendar",
     "See, edit, share, and permanently delete all the calendars you can access using Google Calendar"},
    {LATCHKEY_GOOGLE "calendar.readonly", "See and download any calendar you can access using your Google Calendar"},
    {LATCHKEY_GOOGLE "calendar.events", "View and edit events on all your calendars"},
    {LATCHKEY_GOOGLE "calendar.events.readonly", "View events on all your calendars"},
    {LATCHKEY_GOOGLE "calendar.calendarlist.readonly", "See the list of Google calendars you're subscribed to"},
    {LATCHKEY_GOOGLE "calendar.events.owned", "See, create, change, and delete events on Google calendars you own"},
    {LATCHKEY_GOOGLE "calendar.events.owned.readonly", "See the events on Google calendars you own"},
    {LATCHKEY_GOOGLE "calendar.calendarlist", "See, add, and remove Google calendars you're subscribed to"},
    {LATCHKEY_GOOGLE "calendar.events.freebusy", "See the availability on Google calendars you have access to"},
    {LATCHKEY_GOOGLE "calendar.freebusy", "View your availability in your calendars"},
};

}  // namespace

const Scope* FindScope(std::string_view name) {
  if (name == "email") name = LATCHKEY_GOOGLE "userinfo.email";
  if (name == "profile") name = LATCHKEY_GOOGLE "userinfo.profile";
  const auto* const found = std::ranges::find(kScopes, name, &Scope::name);
  return found == std::end(kScopes) ? nullptr : found;
}
#undef LATCHKEY_GOOGLE

bool OnlySignIn(const ScopeSet& scopes) {
  return std::ranges::all_of(scopes, [](const std::string& name) {
    const Scope* scope = FindScope(name);
    return scope && IsSignIn(*scope);
  });
}

std::vector<std::string> SplitScopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    if (end != 0) scopes.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return scopes;
}

std::string FormatScopes(const ScopeSet& scopes) {
  std::string text;
  for (const std::string& scope : scopes | std::views::reverse) {
    if (!text.empty()) text += ' ';
    text += scope;
  }
  return text;
}

}  // namespace latchkey::simulator
