// getProfile, watch, stop, history.list, settings.sendAs.list.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "simulator/gmail/api.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/json_writer.hpp"

namespace latchkey::simulator {
namespace {

std::optional<std::uint64_t> ReadHistoryId(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Which kinds a history request asks for. nullopt: an unknown name.
std::optional<std::vector<HistoryKind>> ReadHistoryTypes(const Request& request) {
  std::vector<HistoryKind> kinds;
  for (const std::string_view name : request.query.All("historyTypes")) {
    if (name == "messageAdded") {
      kinds.push_back(HistoryKind::kMessageAdded);
    } else if (name == "messageDeleted") {
      kinds.push_back(HistoryKind::kMessageDeleted);
    } else if (name == "labelAdded") {
      kinds.push_back(HistoryKind::kLabelsAdded);
    } else if (name == "labelRemoved") {
      kinds.push_back(HistoryKind::kLabelsRemoved);
    } else {
      return std::nullopt;
    }
  }
  return kinds;
}

void WriteLabelIds(JsonWriter& json, const Mailbox& mailbox, LabelSetId set) {
  if (mailbox.labels().Set(set).empty()) return;
  json.Key("labelIds").BeginArray();
  for (const std::string& id : mailbox.labels().Ids(set)) json.String(id);
  json.EndArray();
}

/// One record: the events that share a history id.
void WriteRecord(JsonWriter& json, const Mailbox& mailbox, const std::vector<HistoryEvent>& events) {
  json.BeginObject().Key("id").QuotedNumber(events.front().history_id);
  json.Key("messages").BeginArray();
  for (std::size_t i = 0; i < events.size(); ++i) {
    json.BeginObject().Key("id").String(FormatId(events[i].message_id));
    json.Key("threadId").String(FormatId(events[i].thread_id)).EndObject();
  }
  json.EndArray();
  constexpr std::pair<HistoryKind, std::string_view> kArrays[] = {{HistoryKind::kMessageAdded, "messagesAdded"},
                                                                  {HistoryKind::kMessageDeleted, "messagesDeleted"},
                                                                  {HistoryKind::kLabelsAdded, "labelsAdded"},
                                                                  {HistoryKind::kLabelsRemoved, "labelsRemoved"}};
  for (const auto& [kind, name] : kArrays) {
    const bool any = std::ranges::any_of(events, [&](const HistoryEvent& event) { return event.kind == kind; });
    if (!any) continue;
    json.Key(name).BeginArray();
    for (const HistoryEvent& event : events) {
      if (event.kind != kind) continue;
      json.BeginObject().Key("message").BeginObject();
      json.Key("id").String(FormatId(event.message_id)).Key("threadId").String(FormatId(event.thread_id));
      WriteLabelIds(json, mailbox, event.labels);
      json.EndObject();
      if (kind == HistoryKind::kLabelsAdded || kind == HistoryKind::kLabelsRemoved) {
        WriteLabelIds(json, mailbox, event.changed);
      }
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
}

}  // namespace

Response GetProfile(Call& call) {
  const Mailbox& mailbox = call.mailbox();
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("emailAddress").String(call.grant.account->email);
  json.Key("messagesTotal").Number(static_cast<std::int64_t>(mailbox.message_count()));
  json.Key("threadsTotal").Number(static_cast<std::int64_t>(mailbox.thread_count()));
  json.Key("historyId").QuotedNumber(mailbox.history_id()).EndObject();
  return JsonResponse(200, std::move(body));
}

Response SendAsList(Call& call) {
  const Account& account = *call.grant.account;
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("sendAs").BeginArray().BeginObject();
  json.Key("sendAsEmail").String(account.email).Key("displayName").String(account.name);
  json.Key("replyToAddress").String("").Key("signature").String("");
  json.Key("isPrimary").Bool(true).Key("isDefault").Bool(true);
  json.EndObject();
  const auto add = [&](const std::string& alias, std::string_view status) {
    json.BeginObject().Key("sendAsEmail").String(alias).Key("displayName").String(account.name);
    json.Key("replyToAddress").String("").Key("signature").String("");
    json.Key("isPrimary").Bool(false).Key("isDefault").Bool(false).Key("treatAsAlias").Bool(true);
    json.Key("verificationStatus").String(status).EndObject();
  };
  for (const std::string& alias : account.aliases) add(alias, "accepted");
  for (const std::string& alias : account.pending_aliases) add(alias, "pending");
  json.EndArray().EndObject();
  return JsonResponse(200, std::move(body));
}

Response WatchMailbox(Call& call) {
  const auto body = ReadJsonBody(call.request.body);
  if (!body) return body.error();
  Watch watch;
  watch.topic = TextMember(*body, "topicName");
  const std::size_t topics = watch.topic.find("/topics/");
  if (!watch.topic.starts_with("projects/") || topics == std::string::npos || topics + 8 >= watch.topic.size()) {
    return InvalidArgument("Invalid topicName does not match projects/*/topics/*");
  }
  auto labels = LabelsById(call.mailbox(), TextArray(*body, "labelIds"));
  if (!labels) return std::move(labels.error());
  watch.labels = std::move(*labels);
  std::string behavior = TextMember(*body, "labelFilterBehavior");
  if (behavior.empty()) behavior = TextMember(*body, "labelFilterAction");
  watch.exclude = behavior == "EXCLUDE" || behavior == "exclude";
  const std::uint64_t history_id = call.mailbox().history_id();
  const Instant expires =
      call.state.watches.Start(*call.grant.account, std::move(watch), history_id, call.state.clock.Now());
  std::string out;
  JsonWriter json(out);
  json.BeginObject().Key("historyId").QuotedNumber(history_id);
  json.Key("expiration").QuotedNumber(ToMicros(expires) / 1000).EndObject();
  return JsonResponse(200, std::move(out));
}

Response StopWatch(Call& call) {
  call.state.watches.Stop(*call.grant.account);
  return NoContent();
}

Response HistoryList(Call& call) {
  constexpr std::size_t kUsualPage = 100;
  constexpr std::size_t kLargestPage = 500;
  const Parameters& query = call.request.query;
  const Mailbox& mailbox = call.mailbox();
  if (query.Get("startHistoryId").empty()) return InvalidArgument("Missing required parameter: startHistoryId");
  const std::optional<std::uint64_t> start = ReadHistoryId(query.Get("startHistoryId"));
  if (!start) return InvalidArgument("Invalid value for startHistoryId");
  const std::optional<std::vector<HistoryKind>> kinds = ReadHistoryTypes(call.request);
  if (!kinds) return InvalidArgument("Invalid value at 'history_types'");
  const std::optional<std::size_t> page = PageSize(call.request, kUsualPage, kLargestPage);
  if (!page) return InvalidArgument("Invalid value for maxResults");
  std::optional<LabelIndex> label;
  if (const std::string_view id = query.Get("labelId"); !id.empty()) {
    const auto labels = LabelsById(mailbox, {std::string(id)});
    if (!labels) return labels.error();
    label = labels->front();
  }
  std::uint64_t after = *start;
  const PageToken token = ReadPageToken(call);
  if (!token.text.empty()) {
    const std::optional<std::uint64_t> last = ReadHistoryId(token.text);
    if (!last || *last < after) return InvalidArgument("Invalid pageToken");
    after = call.state.quirks.repeated_items && *page > 1 ? std::max(*start, *last - 1) : *last;
  }
  // An id from the future is out of date as well: it was issued by a mailbox that is gone.
  if (!mailbox.history().Covers(after) || *start > mailbox.history_id()) return NotFound();

  const auto wanted = [&](const HistoryEvent& event) {
    if (!kinds->empty() && std::ranges::find(*kinds, event.kind) == kinds->end()) return false;
    return !label || mailbox.labels().Contains(event.labels, *label) ||
           mailbox.labels().Contains(event.changed, *label);
  };
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  if (token.answer_empty) {
    json.Key("nextPageToken").String(TokenAfterEmptyPage(token.text));
    json.Key("historyId").QuotedNumber(mailbox.history_id()).EndObject();
    return JsonResponse(200, std::move(body));
  }
  std::size_t count = 0;
  std::uint64_t last_id = 0;
  bool more = false;
  std::vector<HistoryEvent> record;
  const auto flush = [&] {
    if (record.empty()) return;
    if (count++ == 0) json.Key("history").BeginArray();
    WriteRecord(json, mailbox, record);
    last_id = record.front().history_id;
    record.clear();
  };
  for (auto event = mailbox.history().After(after); event != mailbox.history().end(); ++event) {
    if (!wanted(*event)) continue;
    if (!record.empty() && record.front().history_id != event->history_id) flush();
    if (count == *page) {
      more = true;
      break;
    }
    record.push_back(*event);
  }
  flush();
  if (count > 0) json.EndArray();
  if (more) json.Key("nextPageToken").String(std::to_string(last_id));
  json.Key("historyId").QuotedNumber(mailbox.history_id()).EndObject();
  return JsonResponse(200, std::move(body));
}

}  // namespace latchkey::simulator
