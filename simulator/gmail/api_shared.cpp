#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "simulator/gmail/api.hpp"
#include "simulator/gmail/compose.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/render.hpp"
#include "simulator/mailbox/threading.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator {

UserBox& ApiState::Box(const Account& account) {
  auto found = boxes.find(account.sub);
  if (found == boxes.end()) {
    // Milliseconds since some day of 2023: a simulator that was started again issues higher history ids than before, so
    // that cursors from its former life end in a full sync instead of in silence.
    constexpr std::int64_t kBeginning = 1'700'000'000'000;
    const auto first_history_id = static_cast<std::uint64_t>(std::max<std::int64_t>(NowMilliseconds() - kBeginning, 1));
    auto box = std::make_unique<UserBox>(spool, HashText(account.sub) ^ random, first_history_id);
    Mailbox& mailbox = box->mailbox;
    mailbox.OnChange([this, &account, &mailbox](const LabelSet& touched) {
      watches.Changed(account, touched, mailbox.history_id(), clock.Now());
    });
    found = boxes.emplace(account.sub, std::move(box)).first;
  }
  return *found->second;
}

std::uint64_t ApiState::NextNonce() {
  random += 0x9E3779B97F4A7C15ULL;  // splitmix64
  std::uint64_t z = random;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

namespace {

constexpr char kEmptyPageMark = 'e';

}  // namespace

PageToken ReadPageToken(const Call& call) {
  PageToken token{.text = call.request.query.Get("pageToken")};
  const bool marked = token.text.ends_with(kEmptyPageMark);
  if (marked) token.text.remove_suffix(1);
  token.answer_empty = call.state.quirks.empty_pages && !marked;
  return token;
}

std::string TokenAfterEmptyPage(std::string_view token) { return std::string(token) + kEmptyPageMark; }

std::optional<std::size_t> PageSize(const Request& request, std::size_t usual, std::size_t most) {
  const std::string* text = request.query.Find("maxResults");
  if (text == nullptr || text->empty()) return usual;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc::result_out_of_range) return most;
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value == 0 ? usual : std::min(value, most);
}

std::expected<LabelSet, Response> LabelsById(const Mailbox& mailbox, const std::vector<std::string>& ids) {
  LabelSet labels;
  for (const std::string& id : ids) {
    const std::optional<LabelIndex> label = mailbox.labels().FindById(id);
    if (!label) return std::unexpected(InvalidArgument(fmt::format("Invalid label: {}", id)));
    labels.push_back(*label);
  }
  return labels;
}

std::expected<LabelSet, Response> SettableLabels(const Mailbox& mailbox, const std::vector<std::string>& ids) {
  std::expected<LabelSet, Response> labels = LabelsById(mailbox, ids);
  if (!labels) return labels;
  for (const LabelIndex label : *labels) {
    if (label == LabelTable::kSent || label == LabelTable::kDraft || label == LabelTable::kChat) {
      return std::unexpected(InvalidArgument(fmt::format("Invalid label: {}", mailbox.labels().at(label).id)));
    }
  }
  return labels;
}

std::vector<std::string> TextArray(const boost::json::object& object, std::string_view name) {
  std::vector<std::string> out;
  const boost::json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_array()) return out;
  for (const boost::json::value& value : member->as_array()) {
    if (value.is_string()) out.emplace_back(value.as_string());
  }
  return out;
}

std::string TextMember(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->as_string()) : std::string();
}

std::expected<UploadedMessage, Response> ReadMessageBody(Call& call) {
  if (call.matched.upload) return call.state.uploads.Read(call.request, call.state.NextNonce());
  std::expected<boost::json::object, Response> body = ReadJsonBody(call.request.body);
  if (!body) return std::unexpected(std::move(body.error()));
  UploadedMessage upload;
  upload.metadata = std::move(*body);
  // A Draft resource carries its message one level deeper.
  const boost::json::value* message = upload.metadata.if_contains("message");
  const boost::json::object& resource =
      message != nullptr && message->is_object() ? message->as_object() : upload.metadata;
  mime::AppendBase64Decoded(upload.raw, TextMember(resource, "raw"));
  return upload;
}

void DeliverLocally(ApiState& state, const std::vector<std::string>& recipients, const Account& except,
                    const std::string& raw) {
  for (const std::string& recipient : recipients) {
    const Account* account = state.accounts.FindByEmail(recipient);
    if (account == nullptr || account == &except || !account->has_mailbox) continue;
    if (account->IsMicrosoft()) {
      if (state.forward) state.forward(*account, raw);
      continue;
    }
    state.Box(*account).mailbox.Add({.raw = raw,
                                     .labels = {LabelTable::kInbox, LabelTable::kUnread},
                                     .internal_date = state.NowMilliseconds(),
                                     .thread_id = std::nullopt});
  }
}

namespace {

/// One message on its way: the sent copy, the recipients' copies, the log.
void Dispatch(ApiState& state, const Account& sender, const OutgoingMessage& outgoing, const LabelSet& labels,
              const SentThread& thread, std::uint64_t id, bool duplicate) {
  Mailbox& mailbox = state.Box(sender).mailbox;
  const StoredMessage& sent = mailbox.Add({.raw = outgoing.sent,
                                           .labels = labels,
                                           .internal_date = state.NowMilliseconds(),
                                           .thread_id = thread.id,
                                           .id = id,
                                           .composed = !thread.settled});
  const std::uint64_t stored_id = sent.id;
  DeliverLocally(state, outgoing.recipients, sender, outgoing.delivered);
  if (state.sent) {
    state.sent->Add(sender, FormatId(stored_id), outgoing.sent, outgoing.recipients, state.clock.Now(), duplicate);
  }
}

/// The answer for a message that is not stored yet, or never will be.
Response PromiseSent(std::uint64_t id, std::uint64_t thread) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("id").String(FormatId(id)).Key("threadId").String(FormatId(thread));
  json.Key("labelIds").BeginArray().String("SENT").EndArray().EndObject();
  return JsonResponse(200, std::move(body));
}

}  // namespace

Response SendRaw(Call& call, std::string_view raw, const SentThread& thread) {
  const Account& sender = *call.grant.account;
  ApiState& state = call.state;
  auto outgoing = PrepareOutgoing(raw, sender, state.clock.Now(), state.NextNonce());
  if (!outgoing) return outgoing.error();
  LabelSet labels = {LabelTable::kSent};
  // Mail to oneself is one message with both labels, as recorded.
  for (const std::string& recipient : outgoing->recipients) {
    if (mime::EqualsNoCase(recipient, sender.email))
      labels = {LabelTable::kInbox, LabelTable::kUnread, LabelTable::kSent};
  }
  const SendPlan plan = state.send_plan;
  const std::uint64_t id = call.mailbox().ReserveId(state.NowMilliseconds());
  if (plan.lose) return PromiseSent(id, thread.id.value_or(id));
  std::vector<std::uint64_t> ids = {id};
  for (std::uint64_t copy = 0; copy < plan.extra_copies; ++copy) {
    ids.push_back(call.mailbox().ReserveId(state.NowMilliseconds() + 1 + static_cast<std::int64_t>(copy)));
  }
  if (plan.delay.count() > 0 && state.schedule) {
    state.schedule->At(state.clock.Now() + plan.delay,
                       [&state, &sender, message = std::move(*outgoing), labels, thread, ids] {
                         for (const std::uint64_t one : ids) {
                           Dispatch(state, sender, message, labels, thread, one, one != ids.front());
                         }
                       });
    return PromiseSent(id, thread.id.value_or(id));
  }
  for (const std::uint64_t one : ids) Dispatch(state, sender, *outgoing, labels, thread, one, one != id);
  std::string body;
  JsonWriter json(body);
  RenderMessageIds(json, call.mailbox(), *call.mailbox().Find(id));
  return JsonResponse(200, std::move(body));
}

std::optional<std::int64_t> DateOf(std::string_view raw, std::int64_t now) {
  const std::optional<std::int64_t> seconds =
      mime::ParseDate(mime::Unfold(mime::ParseHeaderBlock(raw.substr(0, 256 * 1024)).Get("Date")));
  if (!seconds || *seconds < 0 || *seconds > now / 1000) return std::nullopt;
  return *seconds * 1000;
}

}  // namespace latchkey::simulator
