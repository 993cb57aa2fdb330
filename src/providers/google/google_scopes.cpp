#include <algorithm>
#include <array>

#include "providers/google/google_oauth.hpp"

namespace latchkey::google {
namespace {

using connected_accounts::Capability;

/// What we ask for, and what else would do: a person who granted more elsewhere loses nothing.
struct Row {
  Capability capability;
  std::string_view asked;
  std::array<std::string_view, 3> also;
};
constexpr Row kRows[] = {
    {Capability::kReadMail,
     "https://www.googleapis.com/auth/gmail.readonly",
     {"https://www.googleapis.com/auth/gmail.modify", "https://mail.google.com/", ""}},
    {Capability::kSendMail,
     // Drafts too: only a mail sent from a draft can be told from one that was not sent (gmail_sender.hpp).
     "https://www.googleapis.com/auth/gmail.compose",
     {"https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.modify",
      "https://mail.google.com/"}},
    {Capability::kReadCalendar,
     "https://www.googleapis.com/auth/calendar.readonly",
     {"https://www.googleapis.com/auth/calendar", "", ""}},
};

class GoogleScopes final : public connected_accounts::ScopeCatalog {
 public:
  std::string_view provider() const override { return "google"; }

  Result<std::vector<std::string>> ScopesFor(const std::vector<Capability>& capabilities) const override {
    std::vector<std::string> scopes;
    for (const Row& row : kRows) {
      if (std::ranges::find(capabilities, row.capability) != capabilities.end()) scopes.emplace_back(row.asked);
    }
    return scopes;
  }

  std::vector<Capability> CapabilitiesOf(const std::vector<std::string>& scopes) const override {
    std::vector<Capability> capabilities;
    const auto granted = [&](std::string_view scope) {
      return !scope.empty() && std::ranges::find(scopes, scope) != scopes.end();
    };
    for (const Row& row : kRows) {
      if (granted(row.asked) || std::ranges::any_of(row.also, granted)) capabilities.push_back(row.capability);
    }
    return capabilities;
  }
};

}  // namespace

std::shared_ptr<const connected_accounts::ScopeCatalog> MakeScopeCatalog() { return std::make_shared<GoogleScopes>(); }

}  // namespace latchkey::google
