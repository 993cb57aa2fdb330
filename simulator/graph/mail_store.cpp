#include "simulator/graph/mail_store.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "simulator/graph/mail_draft.hpp"
#include "simulator/graph/mail_ids.hpp"
#include "simulator/mailbox/threading.hpp"
#include "simulator/mime/message.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr char kRegular = 'R', kImmutable = 'I', kFolder = 'F', kConversation = 'C';

struct WellKnown {
  std::string_view name;
  std::string_view display;
  bool hidden;
};
/// The order is that of MailStore's constants.
constexpr WellKnown kWellKnown[] = {
    {"msgfolderroot", "Top of Information Store", false},
    {"inbox", "Inbox", false},
    {"drafts", "Drafts", false},
    {"sentitems", "Sent Items", false},
    {"deleteditems", "Deleted Items", false},
    {"junkemail", "Junk Email", false},
    {"archive", "Archive", false},
    {"outbox", "Outbox", false},
    {"conversationhistory", "Conversation History", false},
    {"clutter", "Clutter", true},
    {"recoverableitemsdeletions", "Deletions", true},
};

std::uint64_t Mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace

MailStore::MailStore(Spool& spool, std::uint64_t seed, std::uint64_t generation)
    : spool_(spool), seed_(seed), tree_generation_(generation), first_generation_(generation) {
  InternCategories({});
  change_ = 1;
  for (const WellKnown& folder : kWellKnown) {
    AddFolder(std::string(folder.display), std::string(folder.name), kRoot, folder.hidden);
  }
}

void MailStore::AddFolder(std::string name, std::string well_known, FolderIndex parent, bool hidden) {
  Folder folder;
  folder.name = std::move(name);
  folder.well_known = std::move(well_known);
  folder.parent = parent;
  folder.hidden = hidden;
  folder.change = change_;
  folder.generation = first_generation_;
  folders_.push_back(std::move(folder));
  orders_.emplace_back();
}

std::optional<FolderIndex> MailStore::FindFolder(std::string_view id) const {
  for (FolderIndex i = 0; i < std::size(kWellKnown); ++i) {
    if (mime::EqualsNoCase(kWellKnown[i].name, id)) return i;
  }
  const auto decoded = DecodeId(id, seed_);
  if (!decoded || decoded->kind != kFolder || decoded->words.empty()) return std::nullopt;
  const std::uint64_t index = decoded->words[0];
  if (index >= folders_.size() || folders_[index].deleted) return std::nullopt;
  return static_cast<FolderIndex>(index);
}

std::string MailStore::FolderId(FolderIndex index) const { return EncodeId(kFolder, seed_, {index}); }

bool MailStore::NameTaken(std::string_view name, FolderIndex parent, FolderIndex except) const {
  for (FolderIndex i = 1; i < folders_.size(); ++i) {
    const Folder& folder = folders_[i];
    if (i != except && !folder.deleted && folder.parent == parent && mime::EqualsNoCase(folder.name, name)) return true;
  }
  return false;
}

std::optional<FolderIndex> MailStore::CreateFolder(std::string name, FolderIndex parent, bool hidden) {
  if (NameTaken(name, parent, kRoot)) return std::nullopt;
  ++change_;
  AddFolder(std::move(name), {}, parent, hidden);
  Touch(parent);
  return static_cast<FolderIndex>(folders_.size() - 1);
}

bool MailStore::RenameFolder(FolderIndex index, std::string name) {
  if (NameTaken(name, folders_[index].parent, index)) return false;
  ++change_;
  folders_[index].name = std::move(name);
  Touch(index);
  return true;
}

bool MailStore::IsWithin(FolderIndex index, FolderIndex ancestor) const {
  while (index != ancestor && index != kRoot) index = folders_[index].parent;
  return index == ancestor;
}

bool MailStore::MoveFolder(FolderIndex index, FolderIndex parent) {
  if (IsWithin(parent, index) || NameTaken(folders_[index].name, parent, index)) return false;
  ++change_;
  Touch(folders_[index].parent);
  folders_[index].parent = parent;
  Touch(index);
  Touch(parent);
  return true;
}

void MailStore::DeleteFolder(FolderIndex index) {
  for (FolderIndex i = 1; i < folders_.size(); ++i) {
    if (i != index && !folders_[i].deleted && folders_[i].parent == index) DeleteFolder(i);
  }
  const std::vector<std::uint32_t> slots = Order(index);
  for (const std::uint32_t slot : slots) Delete(slot);
  ++change_;
  folders_[index].deleted = true;
  Touch(index);
  Touch(folders_[index].parent);
}

std::vector<FolderIndex> MailStore::Children(FolderIndex parent, bool with_hidden) const {
  std::vector<FolderIndex> children;
  for (FolderIndex i = 1; i < folders_.size(); ++i) {
    const Folder& folder = folders_[i];
    if (!folder.deleted && folder.parent == parent && (with_hidden || !folder.hidden)) children.push_back(i);
  }
  std::ranges::sort(children, {}, [&](FolderIndex i) { return mime::Lower(folders_[i].name); });
  return children;
}

bool MailStore::Before(std::uint32_t a, std::uint32_t b) const {
  const Item& left = items_[a];
  const Item& right = items_[b];
  return left.received != right.received ? left.received < right.received : left.key < right.key;
}

void MailStore::Insert(Ordered& order, std::uint32_t slot, bool bulk) {
  const auto before = [this](std::uint32_t a, std::uint32_t b) { return Before(a, b); };
  if (order.slots.empty() || (!order.dirty && Before(order.slots.back(), slot))) {
    order.slots.push_back(slot);
  } else if (bulk || order.dirty) {
    order.slots.push_back(slot);
    order.dirty = true;
  } else {
    order.slots.insert(std::ranges::lower_bound(order.slots, slot, before), slot);
  }
}

void MailStore::Erase(Ordered& order, std::uint32_t slot) {
  Sorted(order);
  const auto found =
      std::ranges::lower_bound(order.slots, slot, [this](std::uint32_t a, std::uint32_t b) { return Before(a, b); });
  if (found != order.slots.end() && *found == slot) order.slots.erase(found);
}

const std::vector<std::uint32_t>& MailStore::Sorted(const Ordered& order) const {
  if (order.dirty) {
    std::ranges::sort(order.slots, [this](std::uint32_t a, std::uint32_t b) { return Before(a, b); });
    order.dirty = false;
  }
  return order.slots;
}

const std::vector<std::uint32_t>& MailStore::Order(FolderIndex folder) const { return Sorted(orders_[folder]); }
const std::vector<std::uint32_t>& MailStore::OrderOfAll() const { return Sorted(all_); }

void MailStore::Enter(std::uint32_t slot, FolderIndex folder, bool bulk) {
  Item& item = items_[slot];
  item.folder = folder;
  Insert(orders_[folder], slot, bulk);
  Insert(all_, slot, bulk);
  Folder& into = folders_[folder];
  ++into.total;
  if (!item.read) ++into.unread;
  into.bytes += item.size;
  Touch(folder);
}

void MailStore::Leave(std::uint32_t slot) {
  const Item& item = items_[slot];
  Erase(orders_[item.folder], slot);
  Erase(all_, slot);
  Folder& from = folders_[item.folder];
  --from.total;
  if (!item.read) --from.unread;
  from.bytes -= item.size;
  Touch(item.folder);
}

void MailStore::Log(std::uint32_t slot, FolderIndex folder, ChangeKind kind) {
  log_.push_back({change_, slot, folder, kind, items_[slot].moves, items_[slot].key});
  if (log_.size() > kMaxLog) {
    log_floor_ = log_.front().change;
    log_.pop_front();
  }
  if (listener_) listener_(slot, folder, kind);
}

std::deque<LoggedChange>::const_iterator MailStore::LogAfter(std::uint64_t change) const {
  return std::ranges::upper_bound(log_, change, {}, &LoggedChange::change);
}

std::string MailStore::IdAt(const LoggedChange& change, bool immutable) const {
  return immutable ? ImmutableId(change.key) : EncodeId(kRegular, seed_, {change.key, change.folder, change.moves});
}

void MailStore::ReadContent(Item& item, std::string_view raw) {
  const mime::Message message = mime::Message::Parse(raw);
  item.attachments = HasAttachments(message);
  const std::string importance = mime::Lower(mime::Trim(message.Header("Importance")));
  const std::string priority = message.Header("X-Priority");
  if (importance == "high" || priority.starts_with('1') || priority.starts_with('2')) {
    item.importance = Importance::kHigh;
  } else if (importance == "low" || priority.starts_with('5') || priority.starts_with('4')) {
    item.importance = Importance::kLow;
  } else {
    item.importance = Importance::kNormal;
  }
}

std::uint32_t MailStore::PickConversation(std::string_view raw) {
  const ThreadingKeys keys = ReadThreadingKeys(raw);
  std::optional<std::uint32_t> found;
  if (keys.message_id != 0) found = conversations_.Find(keys.message_id);
  for (const std::uint64_t reference : keys.references) {
    if (!found) found = conversations_.Find(reference);
  }
  if (!found && keys.is_reply && keys.subject != 0) found = conversations_by_subject_.Find(keys.subject);
  const std::uint32_t conversation = found ? *found : next_conversation_++;
  if (keys.message_id != 0) conversations_.Set(keys.message_id, conversation);
  for (const std::uint64_t reference : keys.references) {
    if (!conversations_.Find(reference)) conversations_.Set(reference, conversation);
  }
  if (keys.subject != 0) conversations_by_subject_.Set(keys.subject, conversation);
  return conversation;
}

std::uint16_t MailStore::InternCategories(std::vector<std::string> categories) {
  const auto found = interned_.find(categories);
  if (found != interned_.end()) return found->second;
  // Beyond 65,535 different combinations a message shows none: no person has that many.
  if (category_sets_.size() >= 65'535) return 0;
  const auto number = static_cast<std::uint16_t>(category_sets_.size());
  const auto added = interned_.emplace(std::move(categories), number).first;
  category_sets_.push_back(&added->first);
  return number;
}

std::uint32_t MailStore::Add(const Addition& addition) {
  ++change_;
  const auto slot = static_cast<std::uint32_t>(items_.size());
  Item item;
  item.key = Mix(seed_ + next_key_++) | 1;
  item.change = change_;
  item.received = addition.received;
  item.modified = addition.modified;
  item.offset = spool_.Append(addition.raw);
  item.size = static_cast<std::uint32_t>(addition.raw.size());
  item.read = addition.read;
  item.draft = addition.draft;
  item.flag = addition.flag;
  item.categories = InternCategories(addition.categories);
  item.conversation = PickConversation(addition.raw);
  if (addition.conversation) item.conversation = *addition.conversation;
  ReadContent(item, addition.raw);
  items_.push_back(item);
  slots_.Set(item.key, slot);
  ++live_;
  Enter(slot, addition.folder, !addition.logged);
  if (addition.logged) Log(slot, addition.folder, ChangeKind::kAdded);
  return slot;
}

std::optional<std::uint32_t> MailStore::Find(std::string_view id, bool& malformed) const {
  const auto decoded = DecodeId(id, seed_);
  malformed = !decoded || decoded->words.empty() || (decoded->kind != kRegular && decoded->kind != kImmutable);
  if (malformed) return std::nullopt;
  const auto slot = slots_.Find(decoded->words[0]);
  if (!slot || items_[*slot].key == 0 || items_[*slot].in_flight) return std::nullopt;
  const Item& item = items_[*slot];
  // The id without ImmutableId names a message in a place; moved away, it names nothing.
  if (decoded->kind == kRegular &&
      (decoded->words.size() < 3 || decoded->words[1] != item.folder || decoded->words[2] != item.moves)) {
    return std::nullopt;
  }
  return slot;
}

std::string MailStore::ImmutableId(std::uint64_t key) const { return EncodeId(kImmutable, seed_, {key}); }

std::string MailStore::Id(const Item& item, bool immutable) const {
  return immutable ? ImmutableId(item.key) : EncodeId(kRegular, seed_, {item.key, item.folder, item.moves});
}

std::optional<std::string> MailStore::Translate(std::string_view id, bool immutable) const {
  bool malformed = false;
  const auto slot = Find(id, malformed);
  if (!slot) return std::nullopt;
  return Id(items_[*slot], immutable);
}

std::string MailStore::ConversationId(const Item& item) const {
  return EncodeId(kConversation, seed_, {Mix(seed_ ^ item.conversation)});
}

std::string MailStore::ChangeKey(const Item& item) const {
  std::string bytes("\x09\0\0\0\x16\0\0\0", 8);
  for (const std::uint64_t word : {Mix(seed_), item.change}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>((word >> shift) & 0xFF));
  }
  return Base64Encode(bytes);
}

void MailStore::Update(std::uint32_t slot, Patch patch, std::int64_t now) {
  Item& item = items_[slot];
  ++change_;
  Folder& folder = folders_[item.folder];
  if (patch.read && *patch.read != item.read) {
    item.read = *patch.read;
    item.read ? --folder.unread : ++folder.unread;
  }
  if (patch.flag) item.flag = *patch.flag;
  if (patch.categories) item.categories = InternCategories(std::move(*patch.categories));
  if (patch.raw) {
    folder.bytes -= item.size;
    item.offset = spool_.Append(*patch.raw);
    item.size = static_cast<std::uint32_t>(patch.raw->size());
    folder.bytes += item.size;
    ReadContent(item, *patch.raw);
  }
  if (patch.importance) item.importance = *patch.importance;
  item.change = change_;
  item.modified = now;
  Touch(item.folder);
  Log(slot, item.folder, ChangeKind::kUpdated);
}

void MailStore::Move(std::uint32_t slot, FolderIndex folder, std::int64_t now) {
  Item& item = items_[slot];
  if (item.folder == folder) return;
  const FolderIndex from = item.folder;
  ++change_;
  Leave(slot);
  item.change = change_;
  item.modified = now;
  Log(slot, from, ChangeKind::kRemoved);
  ++item.moves;
  Enter(slot, folder, false);
  Log(slot, folder, ChangeKind::kAdded);
}

void MailStore::Delete(std::uint32_t slot) {
  Item& item = items_[slot];
  ++change_;
  if (!item.in_flight) Leave(slot);
  Log(slot, item.folder, ChangeKind::kRemoved);
  slots_.Erase(item.key);
  deleted_.push_back(item.key);
  item.key = 0;
  --live_;
}

void MailStore::Depart(std::uint32_t slot) {
  ++change_;
  Leave(slot);
  Item& item = items_[slot];
  item.change = change_;
  item.in_flight = true;
  Log(slot, item.folder, ChangeKind::kRemoved);
}

void MailStore::Arrive(std::uint32_t slot, std::string_view raw, std::int64_t now) {
  Item& item = items_[slot];
  ++change_;
  item.in_flight = false;
  item.draft = false;
  item.read = true;
  item.change = change_;
  item.received = now;
  item.modified = now;
  ++item.moves;
  item.offset = spool_.Append(raw);
  item.size = static_cast<std::uint32_t>(raw.size());
  ReadContent(item, raw);
  Enter(slot, kSent, false);
  Log(slot, kSent, ChangeKind::kAdded);
}

}  // namespace latchkey::simulator::graph
