// GET …/messages/delta and /mailFolders/delta.
#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/delta_token.hpp"
#include "simulator/graph/mail_state.hpp"

namespace latchkey::simulator::graph {
namespace {

/// Recorded: $top=50 was asked for and ten came.
constexpr std::size_t kUsualPage = 10;
constexpr std::size_t kMostPage = 1000;
/// A filtered round gives no more.
constexpr std::uint64_t kMostFiltered = 5'000;

Response Expired(const MailCall& mail, const std::string& fresh_link) {
  const ExpiredForm& form = mail.box.expired;
  auto response = MakePayload(fmt::format("graph.error.{}.{}", form.code, form.status), mail.now());
  if (!response) response = MakePayload("graph.error.syncStateNotFound.410", mail.now());
  if (response->status == 410) response->headers.Set("Location", fresh_link);
  return std::move(*response);
}

/// What a first request asks for. The error is Graph's refusal.
std::expected<DeltaToken, Response> FirstToken(const MailCall& mail) {
  const Parameters& parameters = mail.call.request.query;
  const auto query = QueryOptions::Parse(parameters, kMostPage);
  if (!query) return std::unexpected(BadRequest(query.error(), mail.now()));
  const auto refuse = [&](std::string_view sentence) {
    return std::unexpected(BadRequest(sentence, mail.now(), "ErrorInvalidUrlQuery"));
  };
  if (!query->search.empty() || query->skip > 0 || query->count) {
    return refuse(
        "The following parameters are not supported with change tracking over the 'Messages' resource: "
        "'$search', '$skip', '$count'.");
  }
  DeltaToken token;
  if (query->filter) {
    const Filter& filter = *query->filter;
    const auto* time = std::get_if<ODataInstant>(&filter.value);
    const bool fits = filter.kind == Filter::Kind::kCompare && time &&
                      EqualsIgnoreCase(filter.property, "receivedDateTime") &&
                      (filter.op == Filter::Op::kGe || filter.op == Filter::Op::kGt);
    if (!fits) return refuse("Change tracking supports $filter on receivedDateTime with ge or gt only.");
    token.filter = filter.op == Filter::Op::kGe ? 'e' : 'g';
    token.filter_time = time->micros;
  }
  if (!query->order.empty() && (query->order.size() > 1 || !query->order[0].descending ||
                                !EqualsIgnoreCase(query->order[0].property, "receivedDateTime"))) {
    return refuse("Change tracking supports $orderby=receivedDateTime desc only.");
  }
  token.change_type = parameters.Get("changeType");
  if (!token.change_type.empty() && token.change_type != "created" && token.change_type != "updated" &&
      token.change_type != "deleted") {
    return refuse("changeType must be created, updated or deleted.");
  }
  for (const std::string& name : query->select) token.select += (token.select.empty() ? "" : ",") + name;
  token.expand_attachments =
      std::ranges::any_of(query->expand, [](const std::string& name) { return EqualsIgnoreCase(name, "attachments"); });
  for (const std::string& name : query->expand_select) {
    token.expand_select += (token.expand_select.empty() ? "" : ",") + name;
  }
  // Links are ours to read back: nothing that ends a field may be in it.
  std::erase(token.expand_select, '|');
  token.page = mail.call.preferred_page_size().value_or(0);
  return token;
}

bool PassesFilter(const DeltaToken& token, const Item& item) {
  if (token.filter == 0) return true;
  const std::int64_t received = item.received / 1000 * 1'000'000;
  return token.filter == 'e' ? received >= token.filter_time : received > token.filter_time;
}

/// One round's page in the making.
class Round {
 public:
  Round(const MailCall& mail, FolderIndex folder, DeltaToken token)
      : mail_(mail), store_(mail.store()), folder_(folder), token_(std::move(token)) {
    const Parameters select = Parameters::Parse("$select=" + token_.select);
    if (auto parsed = QueryOptions::Parse(select, kMostPage)) query_ = std::move(*parsed);
    if (token_.expand_attachments) {
      query_.expand.emplace_back("attachments");
      const Parameters shown = Parameters::Parse("$select=" + token_.expand_select);
      if (auto parsed = QueryOptions::Parse(shown, kMostPage)) query_.expand_select = std::move(parsed->select);
    }
    const std::size_t asked = token_.page == 0 ? kUsualPage : static_cast<std::size_t>(token_.page);
    page_ = std::min(mail.call.preferred_page_size().value_or(asked), kMostPage);
  }

  Response Run(const std::string& segment) {
    segment_ = segment;
    if (mail_.state.settings.empty_pages && !token_.after_empty) {
      token_.after_empty = true;
      return Answer(true);
    }
    token_.after_empty = false;
    const bool more = token_.phase == DeltaToken::Phase::kInitial ? Enumerate() : Follow();
    return Answer(more);
  }

 private:
  void Give(std::uint32_t slot, bool thin) {
    boost::json::object message;
    message["@odata.type"] = "#microsoft.graph.message";
    boost::json::object content =
        thin ? Project(RenderThinMessage(store_, store_.at(slot), mail_.call.immutable_ids()), query_.select)
             : Shaped(mail_, slot, query_);
    for (auto& member : content) message[member.key()] = std::move(member.value());
    value_.push_back(std::move(message));
    ++token_.given;
  }

  void Remove(const std::string& id) {
    boost::json::object message;
    message["@odata.type"] = "#microsoft.graph.message";
    message["id"] = id;
    message["@removed"] = boost::json::object{{"reason", "deleted"}};
    value_.push_back(std::move(message));
  }

  /// The first round: what is in the folder, newest first. True: there is more.
  bool Enumerate() {
    if (token_.change_type == "updated" || token_.change_type == "deleted") return false;
    const std::vector<std::uint32_t>& order = store_.Order(folder_);
    // Everything before this position is older than what was given last.
    std::size_t position = order.size();
    if (token_.key != 0) {
      const auto found = std::ranges::lower_bound(
          order, std::pair(token_.received, token_.key), {},
          [&](std::uint32_t slot) { return std::pair(store_.at(slot).received, store_.at(slot).key); });
      position = static_cast<std::size_t>(found - order.begin());
    }
    if (mail_.state.settings.repeated_items && token_.key != 0 && position < order.size()) Give(order[position], false);
    for (std::size_t given = 0; position > 0; ++given) {
      const Item& item = store_.at(order[position - 1]);
      // Newest first, so the filter cuts off an end.
      if (!PassesFilter(token_, item) || (token_.filter != 0 && token_.given >= kMostFiltered)) return false;
      if (given == page_) return true;
      token_.received = item.received;
      token_.key = item.key;
      Give(order[position - 1], false);
      --position;
    }
    return false;
  }

  /// A later round: what changed, in that order. True: there is more.
  bool Follow() {
    std::unordered_set<std::uint32_t> given;
    const std::uint64_t before = token_.after;
    if (mail_.state.settings.repeated_items) RepeatLast(before);
    for (auto change = store_.LogAfter(before); change != store_.LogEnd() && change->change <= token_.until; ++change) {
      if (given.size() == page_) return true;
      token_.after = change->change;
      if (change->folder != folder_ || !given.insert(change->slot).second) continue;
      if (!GiveChange(*change)) given.erase(change->slot);
    }
    token_.after = token_.until;
    return false;
  }

  /// False: nothing was added to the page.
  bool GiveChange(const LoggedChange& change) {
    const Item& item = store_.at(change.slot);
    const bool here = item.key != 0 && !item.in_flight && item.folder == folder_;
    const std::string& only = token_.change_type;
    if (!here) {
      if (!only.empty() && only != "deleted") return false;
      // The id under which the client knew what left this folder.
      Remove(store_.IdAt(change, mail_.call.immutable_ids()));
      return true;
    }
    const bool created = change.kind == ChangeKind::kAdded;
    if ((!only.empty() && only != (created ? "created" : "updated")) || !PassesFilter(token_, item)) return false;
    Give(change.slot, mail_.state.settings.graph_thin_updates && change.kind == ChangeKind::kUpdated);
    return true;
  }

  void RepeatLast(std::uint64_t until) {
    auto change = store_.LogAfter(until);
    while (change != store_.LogBegin()) {
      --change;
      if (change->folder != folder_) continue;
      if (token_.given > 0) GiveChange(*change);
      return;
    }
  }

  Response Answer(bool more) {
    boost::json::object answer;
    answer["@odata.context"] = mail_.call.base() + "/$metadata#Collection(message)";
    answer["value"] = std::move(value_);
    const std::string base = fmt::format("{}/me/mailFolders('{}')/messages/delta", mail_.call.base(), segment_);
    if (more) {
      answer["@odata.nextLink"] = fmt::format("{}?$skiptoken={}", base, token_.Encode());
    } else {
      DeltaToken next = token_;
      next.phase = DeltaToken::Phase::kChanges;
      next.after = token_.until;
      next.until = 0;
      next.given = 0;
      next.key = 0;
      next.received = 0;
      next.after_empty = false;
      answer["@odata.deltaLink"] = fmt::format("{}?$deltatoken={}", base, next.Encode());
    }
    return Json(200, answer);
  }

  const MailCall& mail_;
  const MailStore& store_;
  FolderIndex folder_;
  DeltaToken token_;
  QueryOptions query_;
  std::string segment_;
  std::size_t page_ = kUsualPage;
  boost::json::array value_;
};

/// Links carry all options: nothing may be added to them.
bool HasOptions(const Parameters& query) {
  return std::ranges::any_of(
      query, [](const auto& pair) { return pair.first != "$skiptoken" && pair.first != "$deltatoken"; });
}

struct Given {
  std::string_view text;
  bool is_delta = false;
};
std::optional<Given> TokenOf(const Parameters& query) {
  if (query.Find("$deltatoken")) return Given{query.Get("$deltatoken"), true};
  if (query.Find("$skiptoken")) return Given{query.Get("$skiptoken"), false};
  return std::nullopt;
}

}  // namespace

Response MessagesDelta(const MailCall& mail, const std::string& segment) {
  const auto folder = FindFolder(mail, segment);
  if (!folder) return folder.error();
  const MailStore& store = mail.store();
  const std::uint64_t generation = store.folder(*folder).generation;
  DeltaToken fresh;
  fresh.generation = generation;
  fresh.folder = *folder;
  fresh.until = store.change();
  const Parameters& query = mail.call.request.query;
  const auto given = TokenOf(query);
  if (!given) {
    auto first = FirstToken(mail);
    if (!first) return first.error();
    first->generation = fresh.generation;
    first->folder = fresh.folder;
    first->until = fresh.until;
    return Round(mail, *folder, std::move(*first)).Run(segment);
  }
  if (HasOptions(query)) {
    return BadRequest("Query options other than the token are not allowed in a link of change tracking.", mail.now(),
                      "ErrorInvalidUrlQuery");
  }
  auto token = DeltaToken::Decode(given->text);
  if (!token || token->folder != *folder) {
    return BadRequest("Badly formed token.", mail.now(), "ErrorInvalidSyncStateData");
  }
  // A token that ran past what the log remembers is as good as expired.
  const bool forgotten = token->phase == DeltaToken::Phase::kChanges && token->after < store.log_floor();
  if (token->generation != generation || forgotten) {
    const std::string link =
        fmt::format("{}/me/mailFolders('{}')/messages/delta?$skiptoken={}", mail.call.base(), segment, fresh.Encode());
    return Expired(mail, link);
  }
  if (given->is_delta) token->until = store.change();
  return Round(mail, *folder, std::move(*token)).Run(segment);
}

Response FoldersDelta(const MailCall& mail) {
  const MailStore& store = mail.store();
  const Parameters& query = mail.call.request.query;
  const auto given = TokenOf(query);
  DeltaToken token;
  if (!given) {
    const auto options = QueryOptions::Parse(query, kMostPage);
    if (!options) return BadRequest(options.error(), mail.now());
    for (const std::string& name : options->select) token.select += (token.select.empty() ? "" : ",") + name;
    token.generation = store.tree_generation();
    token.until = store.change();
    token.page = options->top.value_or(mail.call.preferred_page_size().value_or(0));
  } else {
    if (HasOptions(query)) {
      return BadRequest("Query options other than the token are not allowed in a link of change tracking.", mail.now(),
                        "ErrorInvalidUrlQuery");
    }
    const auto decoded = DeltaToken::Decode(given->text);
    if (!decoded || decoded->folder != 0) {
      return BadRequest("Badly formed token.", mail.now(), "ErrorInvalidSyncStateData");
    }
    token = *decoded;
    if (token.generation != store.tree_generation()) {
      return Expired(mail, mail.call.base() + "/me/mailFolders/delta");
    }
    if (given->is_delta) token.until = store.change();
  }
  // Recorded pages have ten folders. `key` counts those that were given in this round.
  const std::size_t page = token.page == 0 ? kUsualPage : std::min<std::size_t>(token.page, kMostPage);
  std::vector<FolderIndex> wanted;
  for (FolderIndex i = 1; i < store.folders().size(); ++i) {
    const Folder& folder = store.folder(i);
    const bool initial = token.phase == DeltaToken::Phase::kInitial;
    if (folder.hidden || (initial && folder.deleted)) continue;
    if (!initial && folder.change <= token.after) continue;
    wanted.push_back(i);
  }
  const bool empty_page = mail.state.settings.empty_pages && !token.after_empty;
  const auto select = QueryOptions::Parse(Parameters::Parse("$select=" + token.select), kMostPage);
  boost::json::array value;
  std::size_t at = static_cast<std::size_t>(token.key);
  for (; !empty_page && at < wanted.size() && value.size() < page; ++at) {
    boost::json::object folder;
    folder["@odata.type"] = "#microsoft.graph.mailFolder";
    if (store.folder(wanted[at]).deleted) {
      folder["id"] = store.FolderId(wanted[at]);
      folder["@removed"] = boost::json::object{{"reason", "deleted"}};
    } else {
      for (auto& member : Project(RenderFolder(store, wanted[at]), select->select)) {
        folder[member.key()] = std::move(member.value());
      }
    }
    value.push_back(std::move(folder));
  }
  boost::json::object answer;
  answer["@odata.context"] = mail.call.base() + "/$metadata#Collection(mailFolder)";
  answer["value"] = std::move(value);
  token.key = at;
  if (at < wanted.size() || empty_page) {
    token.after_empty = empty_page;
    answer["@odata.nextLink"] = fmt::format("{}/me/mailFolders/delta?$skiptoken={}", mail.call.base(), token.Encode());
  } else {
    token.phase = DeltaToken::Phase::kChanges;
    token.after = token.until;
    token.key = 0;
    token.after_empty = false;
    answer["@odata.deltaLink"] =
        fmt::format("{}/me/mailFolders/delta?$deltatoken={}", mail.call.base(), token.Encode());
  }
  return Json(200, answer);
}

}  // namespace latchkey::simulator::graph
