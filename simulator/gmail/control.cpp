// The verbs of the control API: fill, deliver, change, delete, expire, and describe a mailbox.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "simulator/gmail/gmail_service.hpp"
#include "simulator/gmail/render.hpp"
#include "simulator/mailbox/describe_content.hpp"
#include "simulator/mailbox/readers.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/samples/samples.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;

/// A message of an export from Gmail says its labels itself.
struct TakeoutName {
  std::string_view name;
  LabelIndex label;
};
constexpr TakeoutName kTakeoutNames[] = {
    {"inbox", LabelTable::kInbox}, {"unread", LabelTable::kUnread},       {"starred", LabelTable::kStarred},
    {"sent", LabelTable::kSent},   {"important", LabelTable::kImportant}, {"spam", LabelTable::kSpam},
    {"trash", LabelTable::kTrash}, {"drafts", LabelTable::kDraft},
};
constexpr std::string_view kTakeoutIgnored[] = {"opened", "archived", "chat"};

/// Commas separate the names; a name with a comma stands in quotes.
LabelSet TakeoutLabels(Mailbox& mailbox, const std::string& field) {
  LabelSet labels;
  std::string name;
  bool quoted = false;
  const auto finish = [&] {
    const std::string lower = mime::Lower(mime::Trim(name));
    name.clear();
    if (lower.empty() || std::ranges::find(kTakeoutIgnored, lower) != std::end(kTakeoutIgnored)) return;
    for (const TakeoutName& known : kTakeoutNames) {
      if (lower == known.name) {
        labels.push_back(known.label);
        return;
      }
    }
    if (lower.starts_with("category ")) {
      std::string id = "CATEGORY_";
      for (char c : lower.substr(9)) id.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
      if (const auto category = mailbox.labels().FindById(id)) {
        labels.push_back(*category);
        return;
      }
    }
    auto label = mailbox.labels().FindByName(lower);
    if (!label) label = mailbox.labels().Create(lower);
    if (label) labels.push_back(*label);
  };
  for (char c : field) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      finish();
    } else {
      name.push_back(c);
    }
  }
  finish();
  return labels;
}

json::object DescribeMessage(const Mailbox& mailbox, const StoredMessage& message, bool with_text) {
  const std::string raw = mailbox.Raw(message);
  json::object out;
  out["id"] = FormatId(message.id);
  out["threadId"] = FormatId(mailbox.ThreadId(message));
  out["historyId"] = std::to_string(message.history_id);
  json::array labels;
  for (const std::string& id : mailbox.LabelIds(message)) labels.emplace_back(id);
  out["labelIds"] = std::move(labels);
  out["internalDate"] = std::to_string(message.internal_date);
  out["snippet"] = Snippet(raw);
  DescribeContent(raw, with_text, out);
  return out;
}

/// Where an imported message without labels belongs.
LabelSet UsualLabels(const FoundMessage& found, const Account& account, std::size_t number) {
  // A mailbox that somebody lives in has some unread mail, not only unread mail.
  constexpr std::size_t kUnreadEvery = 12;
  const mime::HeaderBlock header = mime::ParseHeaderBlock(found.raw);
  const std::vector<mime::Address> from = mime::ParseAddresses(mime::DecodeAddressText(header.Get("From")));
  const bool own = !from.empty() && mime::EqualsNoCase(from.front().email, account.email);
  const bool sent = found.mailbox ? *found.mailbox == "SENT" : own;
  const bool spam = found.mailbox && *found.mailbox == "SPAM";
  LabelSet labels = {sent ? LabelTable::kSent : spam ? LabelTable::kSpam : LabelTable::kInbox};
  if (!sent && found.unread.value_or(number % kUnreadEvery == 0)) labels.push_back(LabelTable::kUnread);
  if (found.starred) labels.push_back(LabelTable::kStarred);
  return labels;
}

}  // namespace

LabelSet GmailService::LabelsForControl(Mailbox& mailbox, const std::vector<std::string>& labels) {
  LabelSet set;
  for (const std::string& text : labels) {
    std::optional<LabelIndex> label = mailbox.labels().FindById(text);
    if (!label) label = mailbox.labels().FindByName(text);
    if (!label) label = mailbox.labels().Create(text);
    if (label) set.push_back(*label);
  }
  return set;
}

MailService::Outcome<std::size_t> GmailService::Import(const Account& account, const std::string& file) {
  UserBox& box = state_.Box(account);
  Mailbox& mailbox = box.mailbox;
  const std::int64_t now = state_.NowMilliseconds();
  std::int64_t previous = now;
  std::size_t number = 0;
  return ReadMessages(file, [&](const FoundMessage& found) {
    ++number;
    LabelSet labels;
    const std::string takeout =
        found.mailbox ? std::string() : mime::DecodeText(mime::ParseHeaderBlock(found.raw).Get("X-Gmail-Labels"));
    labels = takeout.empty() ? UsualLabels(found, account, number) : TakeoutLabels(mailbox, takeout);
    for (const LabelIndex label : LabelsForControl(mailbox, found.label_names)) labels.push_back(label);
    const std::optional<std::int64_t> date = found.date ? found.date : DateOf(found.raw, now);
    previous = std::min(date.value_or(previous), now);
    const StoredMessage& stored = mailbox.Add({.raw = found.raw,
                                               .labels = std::move(labels),
                                               .internal_date = previous,
                                               .thread_id = std::nullopt,
                                               .in_history = false});
    if (mailbox.Has(stored, LabelTable::kDraft)) box.drafts[state_.NewDraftId()] = stored.id;
  });
}

MailService::Outcome<std::size_t> GmailService::ImportSample(const Account& account, Instant now) {
  UserBox& box = state_.Box(account);
  Mailbox& mailbox = box.mailbox;
  const std::vector<SampleMessage> samples = MakeSampleMailbox(account, now);
  for (const SampleMessage& sample : samples) {
    const StoredMessage& stored = mailbox.Add({.raw = sample.raw,
                                               .labels = LabelsForControl(mailbox, sample.labels),
                                               .internal_date = ToMicros(sample.date) / 1000,
                                               .thread_id = std::nullopt,
                                               .in_history = false});
    if (mailbox.Has(stored, LabelTable::kDraft)) box.drafts[state_.NewDraftId()] = stored.id;
  }
  return samples.size();
}

MailService::Outcome<json::object> GmailService::Deliver(const Account& account, IncomingMessage message) {
  if (message.raw.empty()) return std::unexpected("the message is empty: give its RFC 5322 text");
  Mailbox& mailbox = state_.Box(account).mailbox;
  std::optional<std::uint64_t> thread;
  if (!message.thread_id.empty()) {
    thread = ParseId(message.thread_id);
    if (!thread || mailbox.Thread(*thread).empty()) {
      return std::unexpected(
          fmt::format("there is no thread {} in the mailbox of {}", message.thread_id, account.email));
    }
  }
  const LabelSet labels = message.label_ids.empty() ? LabelSet{LabelTable::kInbox, LabelTable::kUnread}
                                                    : LabelsForControl(mailbox, message.label_ids);
  const Instant date = message.internal_date.value_or(state_.clock.Now());
  const StoredMessage& stored =
      mailbox.Add({.raw = message.raw, .labels = labels, .internal_date = ToMicros(date) / 1000, .thread_id = thread});
  return json::object{{"id", FormatId(stored.id)},
                      {"threadId", FormatId(mailbox.ThreadId(stored))},
                      {"historyId", std::to_string(stored.history_id)}};
}

MailService::Outcome<void> GmailService::ModifyLabels(const Account& account, std::string_view message_id,
                                                      const std::vector<std::string>& add,
                                                      const std::vector<std::string>& remove) {
  Mailbox& mailbox = state_.Box(account).mailbox;
  const std::optional<std::uint64_t> id = ParseId(message_id);
  if (!id || mailbox.Find(*id) == nullptr) {
    return std::unexpected(fmt::format("there is no message {} in the mailbox of {}", message_id, account.email));
  }
  const std::uint64_t ids[] = {*id};
  mailbox.Modify(ids, LabelsForControl(mailbox, add), LabelsForControl(mailbox, remove));
  return {};
}

MailService::Outcome<void> GmailService::Delete(const Account& account, std::string_view message_id) {
  const std::uint64_t ids[] = {ParseId(message_id).value_or(0)};
  if (state_.Box(account).mailbox.Delete(ids) == 0) {
    return std::unexpected(fmt::format("there is no message {} in the mailbox of {}", message_id, account.email));
  }
  return {};
}

void GmailService::ExpireHistory(const Account& account) { state_.Box(account).mailbox.ExpireHistory(); }

json::object GmailService::Describe(const Account& account, const MailboxQuery& query) const {
  const Mailbox& mailbox = state_.Box(account).mailbox;
  json::object out;
  out["total"] = static_cast<std::int64_t>(mailbox.message_count());
  out["threads"] = static_cast<std::int64_t>(mailbox.thread_count());
  out["historyId"] = std::to_string(mailbox.history_id());
  json::array labels;
  for (const Label& label : mailbox.labels().all()) {
    if (label.deleted) continue;
    labels.push_back(json::object{{"id", label.id}, {"name", label.name}, {"type", label.user ? "user" : "system"}});
  }
  out["labels"] = std::move(labels);
  json::array messages;
  const std::vector<std::uint32_t>& order = mailbox.Order();
  for (std::size_t i = query.offset; i < order.size() && i - query.offset < query.limit; ++i) {
    messages.push_back(DescribeMessage(mailbox, mailbox.Slot(order[order.size() - 1 - i]), query.with_text));
  }
  out["messages"] = std::move(messages);
  if (query.include_deleted) {
    json::array deleted;
    for (const std::uint64_t id : mailbox.deleted_ids()) deleted.emplace_back(FormatId(id));
    out["deleted"] = std::move(deleted);
  }
  return out;
}

}  // namespace latchkey::simulator
