// GET …/messages: pages of a folder or of the whole mailbox.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/mail_state.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/summary.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::size_t kUsualPage = 10;
constexpr std::size_t kMostPage = 1000;
/// The mark of the page behind an empty one.
constexpr std::string_view kAfterEmpty = "e";

/// $orderby's properties must stand in $filter too, in the same order and before all others.
bool OrderFitsFilter(const QueryOptions& query) {
  if (!query.filter || query.order.empty()) return true;
  const std::vector<std::string> filtered = query.filter->Properties();
  std::vector<std::string> distinct;
  for (const std::string& name : filtered) {
    if (std::ranges::none_of(distinct, [&](const std::string& seen) { return EqualsIgnoreCase(seen, name); })) {
      distinct.push_back(name);
    }
  }
  for (std::size_t i = 0; i < query.order.size(); ++i) {
    if (i >= distinct.size() || !EqualsIgnoreCase(distinct[i], query.order[i].property)) return false;
  }
  return true;
}

bool FoundBySearch(const MailStore& store, const Item& item, std::string_view search) {
  std::string wanted(search);
  std::erase(wanted, '"');
  if (const std::size_t colon = wanted.find(':'); colon != std::string::npos) wanted.erase(0, colon + 1);
  const std::string raw = store.Raw(item);
  const mime::Message message = mime::Message::Parse(raw);
  Filter filter;
  filter.kind = Filter::Kind::kContains;
  filter.property = "text";
  filter.value = wanted;
  const auto read = [&](std::string_view) {
    return std::optional<ODataValue>(message.Header("Subject") + "\n" + message.Header("From") + "\n" +
                                     mime::PreviewText(message, 20'000));
  };
  return filter.Matches(read, [](std::string_view) { return std::vector<std::string>(); });
}

/// Whether the message belongs into the list.
bool Wanted(const MailStore& store, const Item& item, const QueryOptions& query) {
  if (query.filter) {
    const auto read = [&](std::string_view property) { return ReadProperty(store, item, property); };
    const auto list = [&](std::string_view property) {
      return EqualsIgnoreCase(property, "categories") ? store.Categories(item) : std::vector<std::string>();
    };
    if (!query.filter->Matches(read, list)) return false;
  }
  return query.search.empty() || FoundBySearch(store, item, query.search);
}

/// All slots in the order asked for; by itself newest first.
std::vector<std::uint32_t> Arrange(const MailStore& store, const std::vector<std::uint32_t>& oldest_first,
                                   const std::vector<OrderBy>& order) {
  std::vector<std::uint32_t> slots(oldest_first.rbegin(), oldest_first.rend());
  if (order.empty()) return slots;
  if (EqualsIgnoreCase(order.front().property, "receivedDateTime")) {
    if (!order.front().descending) std::ranges::reverse(slots);
    return slots;
  }
  std::vector<std::pair<std::vector<ODataValue>, std::uint32_t>> keyed;
  for (const std::uint32_t slot : slots) {
    std::vector<ODataValue> key;
    for (const OrderBy& by : order) {
      key.push_back(ReadProperty(store, store.at(slot), by.property).value_or(ODataValue()));
    }
    keyed.emplace_back(std::move(key), slot);
  }
  // The slot breaks ties, so that pages never disagree.
  std::ranges::sort(keyed, [&](const auto& a, const auto& b) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (a.first[i] != b.first[i]) return order[i].descending ? a.first[i] > b.first[i] : a.first[i] < b.first[i];
    }
    return a.second > b.second;
  });
  slots.clear();
  for (const auto& [key, slot] : keyed) slots.push_back(slot);
  return slots;
}

std::string NextLink(const MailCall& mail, std::size_t skip, bool after_empty) {
  std::string link = mail.call.request.Base() + mail.call.request.path;
  char separator = '?';
  for (const auto& [name, value] : mail.call.request.query) {
    if (name == "$skip" || name == "$skiptoken") continue;
    link += fmt::format("{}{}={}", separator, name, PercentEncode(value));
    separator = '&';
  }
  link += fmt::format("{}$skip={}", separator, skip);
  if (after_empty) link += fmt::format("&$skiptoken={}", kAfterEmpty);
  return link;
}

}  // namespace

Response ListMessages(const MailCall& mail, std::optional<FolderIndex> folder) {
  const Request& request = mail.call.request;
  const auto query = QueryOptions::Parse(request.query, kMostPage);
  if (!query) return BadRequest(query.error(), mail.now());
  if (!OrderFitsFilter(*query)) {
    return BadRequest("The restriction or sort order is too complex for this operation.", mail.now(),
                      "InefficientFilter");
  }
  const MailStore& store = mail.store();
  std::string place = "messages";
  if (folder) place = fmt::format("mailFolders('{}')/messages", PercentEncode(request.segments[3]));
  std::string selected;
  for (const std::string& name : query->select) selected += (selected.empty() ? "" : ",") + name;
  boost::json::object answer;
  answer["@odata.context"] = mail.call.Context(selected.empty() ? place : place + "(" + selected + ")");

  const std::size_t preferred = std::min(mail.call.preferred_page_size().value_or(kUsualPage), kMostPage);
  const std::size_t page = query->top.value_or(preferred);
  boost::json::array value;
  if (mail.state.settings.empty_pages && request.query.Get("$skiptoken") != kAfterEmpty) {
    answer["value"] = std::move(value);
    answer["@odata.nextLink"] = NextLink(mail, query->skip, true);
    return Json(200, answer);
  }
  std::size_t skip = query->skip;
  std::size_t room = page;
  if (mail.state.settings.repeated_items && skip > 0) {
    --skip;
    ++room;
  }
  const std::vector<std::uint32_t>& all = folder ? store.Order(*folder) : store.OrderOfAll();
  const std::vector<std::uint32_t> slots = Arrange(store, all, query->order);
  const bool unfiltered = !query->filter && query->search.empty();
  std::size_t matched = 0;
  bool more = false;
  for (std::size_t i = unfiltered ? std::min(skip, slots.size()) : 0; i < slots.size(); ++i) {
    if (!unfiltered) {
      if (!Wanted(store, store.at(slots[i]), *query)) continue;
      if (matched++ < skip) continue;
    }
    if (value.size() == room) {
      more = true;
      if (!query->count || unfiltered) break;
      continue;
    }
    value.push_back(Shaped(mail, slots[i], *query));
  }
  if (query->count) answer["@odata.count"] = unfiltered ? slots.size() : matched;
  answer["value"] = std::move(value);
  if (more) answer["@odata.nextLink"] = NextLink(mail, query->skip + page, false);
  return Json(200, answer);
}

Response CountMessages(const MailCall& mail, std::optional<FolderIndex> folder) {
  const auto query = QueryOptions::Parse(mail.call.request.query, kMostPage);
  if (!query) return BadRequest(query.error(), mail.now());
  const MailStore& store = mail.store();
  const std::vector<std::uint32_t>& all = folder ? store.Order(*folder) : store.OrderOfAll();
  const std::size_t count = static_cast<std::size_t>(
      std::ranges::count_if(all, [&](std::uint32_t slot) { return Wanted(store, store.at(slot), *query); }));
  return TextResponse(200, std::to_string(count));
}

}  // namespace latchkey::simulator::graph
