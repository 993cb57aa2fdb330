// The verbs of the control API on Microsoft mailboxes: fill, deliver, change, move, delete, expire, describe.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "simulator/graph/mail_area.hpp"
#include "simulator/mailbox/describe_content.hpp"
#include "simulator/mailbox/readers.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/samples/samples.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;

struct LabelFolder {
  std::string_view label;
  FolderIndex folder;
};
constexpr LabelFolder kFolders[] = {{"INBOX", MailStore::kInbox},
                                    {"SENT", MailStore::kSent},
                                    {"DRAFT", MailStore::kDrafts},
                                    {"SPAM", MailStore::kJunk},
                                    {"TRASH", MailStore::kDeleted}};
/// Labels of Gmail that mean nothing here.
constexpr std::string_view kIgnored[] = {"IMPORTANT", "CHAT"};

/// Where labels of Gmail's put a message at Microsoft, so that both kinds of mailbox are filled from the same sources:
/// the system labels name folders, UNREAD and STARRED are states, others are categories.
void ApplyLabels(const std::vector<std::string>& labels, MailStore::Addition& addition) {
  addition.read = true;
  bool placed = false;
  for (const std::string& label : labels) {
    const auto* const known = std::ranges::find(kFolders, std::string_view(label), &LabelFolder::label);
    if (known != std::end(kFolders)) {
      // Mail to oneself is in the inbox as well as sent: the inbox copy is the one here.
      if (!placed || known->folder == MailStore::kInbox) addition.folder = known->folder;
      placed = true;
      if (known->folder == MailStore::kDrafts) addition.draft = true;
    } else if (label == "UNREAD") {
      addition.read = false;
    } else if (label == "STARRED") {
      addition.flag = FlagStatus::kFlagged;
    } else if (std::ranges::find(kIgnored, std::string_view(label)) == std::end(kIgnored) &&
               !label.starts_with("CATEGORY_")) {
      addition.categories.push_back(label);
    }
  }
  if (!placed) addition.folder = MailStore::kArchive;
}

std::optional<std::int64_t> DateOf(std::string_view raw, std::int64_t now) {
  const auto seconds = mime::ParseDate(mime::Unfold(mime::ParseHeaderBlock(raw.substr(0, 256 * 1024)).Get("Date")));
  if (!seconds || *seconds < 0 || *seconds > now / 1000) return std::nullopt;
  return *seconds * 1000;
}

std::string NoMessage(const Account& account, std::string_view id) {
  return fmt::format("there is no message {} in the mailbox of {}", id, account.email);
}

}  // namespace

MailArea::Outcome<FolderIndex> MailArea::FolderFor(MailStore& store, const std::string& text) const {
  if (const auto folder = store.FindFolder(text)) return *folder;
  for (FolderIndex i = 1; i < store.folders().size(); ++i) {
    if (!store.folder(i).deleted && mime::EqualsNoCase(store.folder(i).name, text)) return i;
  }
  return std::unexpected(fmt::format("there is no folder {}: give a well-known name, an id or a display name", text));
}

MailArea::Outcome<std::size_t> MailArea::Import(const Account& account, const std::string& file) {
  MailStore& store = state_.BoxOf(account).store;
  const std::int64_t now = state_.NowMilliseconds();
  std::int64_t previous = now;
  std::size_t number = 0;
  // A mailbox that somebody lives in has some unread mail, not only unread mail.
  constexpr std::size_t kUnreadEvery = 12;
  return ReadMessages(file, [&](const FoundMessage& found) {
    ++number;
    const mime::HeaderBlock header = mime::ParseHeaderBlock(found.raw);
    const auto from = mime::ParseAddresses(mime::DecodeAddressText(header.Get("From")));
    const bool own = !from.empty() && mime::EqualsNoCase(from.front().email, account.email);
    const bool sent = found.mailbox ? *found.mailbox == "SENT" : own;
    MailStore::Addition addition;
    addition.raw = found.raw;
    addition.folder = sent                                        ? MailStore::kSent
                      : found.mailbox && *found.mailbox == "SPAM" ? MailStore::kJunk
                                                                  : MailStore::kInbox;
    addition.read = sent || !found.unread.value_or(number % kUnreadEvery == 0);
    if (found.starred) addition.flag = FlagStatus::kFlagged;
    addition.categories = found.label_names;
    const auto date = found.date ? found.date : DateOf(found.raw, now);
    previous = std::min(date.value_or(previous), now);
    addition.received = previous;
    addition.modified = previous;
    addition.logged = false;
    store.Add(addition);
  });
}

MailArea::Outcome<std::size_t> MailArea::ImportSample(const Account& account, Instant now) {
  MailStore& store = state_.BoxOf(account).store;
  const std::vector<SampleMessage> samples = MakeSampleMailbox(account, now);
  for (const SampleMessage& sample : samples) {
    MailStore::Addition addition;
    addition.raw = sample.raw;
    ApplyLabels(sample.labels, addition);
    // What a person at Gmail labels and archives, one at Outlook files into a folder.
    if (addition.folder == MailStore::kArchive && !addition.categories.empty()) {
      const std::string name = addition.categories.front();
      auto folder = FolderFor(store, name);
      if (!folder) folder = *store.CreateFolder(name, MailStore::kRoot, false);
      addition.folder = *folder;
      addition.categories.clear();
    }
    addition.received = ToMicros(sample.date) / 1000;
    addition.modified = addition.received;
    addition.logged = false;
    store.Add(addition);
  }
  return samples.size();
}

MailArea::Outcome<json::object> MailArea::Deliver(const Account& account, const IncomingMessage& message) {
  if (message.raw.empty()) return std::unexpected("the message is empty: give its RFC 5322 text");
  MailStore& store = state_.BoxOf(account).store;
  MailStore::Addition addition;
  addition.raw = message.raw;
  if (message.label_ids.empty()) {
    addition.folder = MailStore::kInbox;
  } else {
    ApplyLabels(message.label_ids, addition);
  }
  if (!message.folder.empty()) {
    const auto folder = FolderFor(store, message.folder);
    if (!folder) return std::unexpected(folder.error());
    addition.folder = *folder;
  }
  addition.received = ToMicros(message.internal_date.value_or(state_.clock.Now())) / 1000;
  addition.modified = state_.NowMilliseconds();
  const Item& item = store.at(store.Add(addition));
  return json::object{{"id", store.Id(item, true)},
                      {"threadId", store.ConversationId(item)},
                      {"historyId", std::to_string(item.change)},
                      {"folder", store.folder(item.folder).name}};
}

MailArea::Outcome<json::object> MailArea::ChangeMessage(const Account& account, const std::string& id,
                                                        const Change& change) {
  MailStore& store = state_.BoxOf(account).store;
  bool malformed = false;
  const auto slot = store.Find(id, malformed);
  if (!slot) return std::unexpected(NoMessage(account, id));
  const std::int64_t now = state_.NowMilliseconds();
  MailStore::Patch patch;
  patch.read = change.read;
  if (change.flagged) patch.flag = *change.flagged ? FlagStatus::kFlagged : FlagStatus::kNotFlagged;
  std::vector<std::string> categories = change.categories.value_or(store.Categories(store.at(*slot)));
  bool recategorised = change.categories.has_value();
  const auto apply = [&](const std::string& label, bool add) {
    if (label == "UNREAD") {
      patch.read = !add;
    } else if (label == "STARRED") {
      patch.flag = add ? FlagStatus::kFlagged : FlagStatus::kNotFlagged;
    } else {
      std::erase(categories, label);
      if (add) categories.push_back(label);
      recategorised = true;
    }
  };
  for (const std::string& label : change.add_labels) apply(label, true);
  for (const std::string& label : change.remove_labels) apply(label, false);
  if (recategorised) patch.categories = std::move(categories);
  if (patch.read || patch.flag || patch.categories) store.Update(*slot, std::move(patch), now);
  if (change.folder) {
    const auto folder = FolderFor(store, *change.folder);
    if (!folder) return std::unexpected(folder.error());
    store.Move(*slot, *folder, now);
  }
  return json::object{{"id", store.Id(store.at(*slot), true)}, {"folder", store.folder(store.at(*slot).folder).name}};
}

MailArea::Outcome<void> MailArea::Delete(const Account& account, const std::string& id) {
  MailStore& store = state_.BoxOf(account).store;
  bool malformed = false;
  const auto slot = store.Find(id, malformed);
  if (!slot) return std::unexpected(NoMessage(account, id));
  store.Delete(*slot);
  return {};
}

json::object MailArea::DescribeFolder(const MailStore& store, FolderIndex index) const {
  const Folder& folder = store.folder(index);
  json::object out;
  out["id"] = store.FolderId(index);
  out["name"] = folder.name;
  out["well_known"] = folder.well_known;
  out["parent_id"] = store.FolderId(folder.parent);
  out["hidden"] = folder.hidden;
  out["total"] = folder.total;
  out["unread"] = folder.unread;
  return out;
}

json::array MailArea::DescribeFolders(const Account& account) {
  const MailStore& store = state_.BoxOf(account).store;
  json::array folders;
  for (FolderIndex i = 1; i < store.folders().size(); ++i) {
    if (!store.folder(i).deleted) folders.push_back(DescribeFolder(store, i));
  }
  return folders;
}

json::object MailArea::DescribeMessage(const MailStore& store, const Item& item, bool with_text) const {
  const std::string raw = store.Raw(item);
  const Folder& folder = store.folder(item.folder);
  json::object out;
  out["id"] = store.Id(item, true);
  out["threadId"] = store.ConversationId(item);
  out["historyId"] = std::to_string(item.change);
  out["folder"] = folder.well_known.empty() ? folder.name : folder.well_known;
  out["folderId"] = store.FolderId(item.folder);
  json::array labels;
  if (!item.read) labels.emplace_back("UNREAD");
  if (item.flag == FlagStatus::kFlagged) labels.emplace_back("STARRED");
  out["labelIds"] = std::move(labels);
  const std::vector<std::string>& categories = store.Categories(item);
  out["categories"] = json::array(categories.begin(), categories.end());
  out["isRead"] = item.read;
  out["isFlagged"] = item.flag == FlagStatus::kFlagged;
  out["isDraft"] = item.draft;
  out["internalDate"] = std::to_string(item.received);
  out["snippet"] = mime::PreviewText(mime::Message::Parse(raw), 255);
  DescribeContent(raw, with_text, out);
  return out;
}

json::object MailArea::Describe(const Account& account, const MailboxQuery& query) {
  const MailStore& store = state_.BoxOf(account).store;
  json::object out;
  const std::vector<std::uint32_t>& order = store.OrderOfAll();
  out["total"] = order.size();
  std::set<std::uint32_t> conversations;
  for (const std::uint32_t slot : order) conversations.insert(store.at(slot).conversation);
  out["threads"] = conversations.size();
  out["historyId"] = std::to_string(store.change());
  out["folders"] = DescribeFolders(account);
  json::array messages;
  for (std::size_t i = query.offset; i < order.size() && i - query.offset < query.limit; ++i) {
    messages.push_back(DescribeMessage(store, store.at(order[order.size() - 1 - i]), query.with_text));
  }
  out["messages"] = std::move(messages);
  if (query.include_deleted) {
    json::array deleted;
    for (const std::uint64_t key : store.deleted_keys()) deleted.emplace_back(store.ImmutableId(key));
    out["deleted"] = std::move(deleted);
  }
  return out;
}

MailArea::Outcome<json::object> MailArea::CreateFolder(const Account& account, const std::string& name,
                                                       const std::string& parent, bool hidden) {
  MailStore& store = state_.BoxOf(account).store;
  FolderIndex under = MailStore::kRoot;
  if (!parent.empty()) {
    const auto found = FolderFor(store, parent);
    if (!found) return std::unexpected(found.error());
    under = *found;
  }
  const auto folder = name.empty() ? std::nullopt : store.CreateFolder(name, under, hidden);
  if (!folder) return std::unexpected(fmt::format("there is a folder {} already, or its name is empty", name));
  return DescribeFolder(store, *folder);
}

MailArea::Outcome<json::object> MailArea::ChangeFolder(const Account& account, const std::string& id,
                                                       const std::optional<std::string>& name,
                                                       const std::optional<std::string>& parent) {
  MailStore& store = state_.BoxOf(account).store;
  const auto folder = FolderFor(store, id);
  if (!folder) return std::unexpected(folder.error());
  if (name && !store.RenameFolder(*folder, *name)) return std::unexpected(fmt::format("there is a {} already", *name));
  if (parent) {
    const auto into = FolderFor(store, *parent);
    if (!into) return std::unexpected(into.error());
    if (!store.MoveFolder(*folder, *into)) return std::unexpected("the folder cannot move there");
  }
  return DescribeFolder(store, *folder);
}

MailArea::Outcome<void> MailArea::DeleteFolder(const Account& account, const std::string& id) {
  MailStore& store = state_.BoxOf(account).store;
  const auto folder = FolderFor(store, id);
  if (!folder) return std::unexpected(folder.error());
  if (!store.folder(*folder).well_known.empty()) return std::unexpected("well-known folders stay");
  store.DeleteFolder(*folder);
  return {};
}

MailArea::Outcome<void> MailArea::ExpireDelta(const Account& account, const std::string& folder,
                                              const ExpiredForm& form) {
  if (!MakePayload(fmt::format("graph.error.{}.{}", form.code, form.status), Instant())) {
    return std::unexpected(
        "\"code\" and \"status\" must be syncStateNotFound or resyncRequired with 410, 400 or 404, or syncStateInvalid "
        "with 410 or 400");
  }
  Box& box = state_.BoxOf(account);
  if (folder.empty()) {
    for (FolderIndex i = 0; i < box.store.folders().size(); ++i) box.store.ExpireFolder(i);
    box.store.ExpireTree();
  } else if (folder == "tree") {
    box.store.ExpireTree();
  } else {
    const auto found = FolderFor(box.store, folder);
    if (!found) return std::unexpected(found.error());
    box.store.ExpireFolder(*found);
  }
  box.expired = form;
  return {};
}

}  // namespace latchkey::simulator::graph
