#include "providers/microsoft/scope_catalog.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "providers/microsoft/microsoft_oauth.hpp"

namespace latchkey::microsoft {
namespace {

using connected_accounts::Capability;

constexpr std::string_view kGraph = "https://graph.microsoft.com/";

/// What has to be granted for a capability: each of `needs`, or for one of them the broader scope beside it.
struct Need {
  std::string_view scope, broader;
};
struct Row {
  Capability capability;
  std::array<Need, 2> needs;
};
constexpr Row kRows[] = {
    {Capability::kReadMail, {{{"Mail.Read", "Mail.ReadWrite"}, {}}}},
    {Capability::kSendMail, {{{"Mail.Send", ""}, {"Mail.ReadWrite", ""}}}},
    {Capability::kReadCalendar, {{{"Calendars.Read", "Calendars.ReadWrite"}, {}}}},
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

/// Graph's scopes are the ones without a resource; any case.
std::string ShortForm(std::string_view scope) {
  std::string name = Lower(scope);
  if (name.starts_with(kGraph)) name.erase(0, kGraph.size());
  return name;
}

class GraphScopes final : public connected_accounts::ScopeCatalog {
 public:
  std::string_view provider() const override { return "microsoft"; }

  Result<std::vector<std::string>> ScopesFor(const std::vector<Capability>& capabilities) const override {
    std::vector<std::string> scopes;
    for (const Row& row : kRows) {
      if (std::ranges::find(capabilities, row.capability) == capabilities.end()) continue;
      for (const Need& need : row.needs) {
        if (!need.scope.empty()) scopes.push_back(std::string(kGraph) + std::string(need.scope));
      }
    }
    return scopes;
  }

  std::vector<Capability> CapabilitiesOf(const std::vector<std::string>& scopes) const override {
    std::set<std::string> granted;
    for (const std::string& scope : scopes) granted.insert(ShortForm(scope));
    const auto met = [&](const Need& need) {
      return need.scope.empty() || granted.contains(Lower(need.scope)) || granted.contains(Lower(need.broader));
    };
    std::vector<Capability> capabilities;
    for (const Row& row : kRows) {
      if (std::ranges::all_of(row.needs, met)) capabilities.push_back(row.capability);
    }
    return capabilities;
  }
};

}  // namespace

std::shared_ptr<const connected_accounts::ScopeCatalog> MakeScopeCatalog() { return std::make_shared<GraphScopes>(); }

}  // namespace latchkey::microsoft
