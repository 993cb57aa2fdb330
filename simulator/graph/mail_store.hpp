#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/mailbox/id_map.hpp"
#include "simulator/mailbox/spool.hpp"

namespace latchkey::simulator::graph {

using FolderIndex = std::uint32_t;
enum class FlagStatus : std::uint8_t { kNotFlagged, kFlagged, kComplete };
enum class Importance : std::uint8_t { kLow, kNormal, kHigh };

struct Folder {
  std::string name;
  std::string well_known;  ///< "inbox"; empty for the person's own folders.
  FolderIndex parent = 0;
  bool hidden = false;
  bool deleted = false;
  std::uint64_t change = 0;  ///< Mailbox change number of the last change of the folder or its counts.
  std::uint32_t total = 0;
  std::uint32_t unread = 0;
  std::uint64_t bytes = 0;
  std::uint64_t generation = 1;  ///< Delta tokens of an older one are expired.
};

/// What the index keeps of one message (64 bytes); all else is read from the raw bytes when somebody asks.
struct Item {
  std::uint64_t key = 0;  ///< The identity that survives moves. 0: deleted for good.
  std::uint64_t change = 0;
  std::int64_t received = 0;  ///< Milliseconds since 1970.
  std::int64_t modified = 0;
  std::uint64_t offset = 0;  ///< Into the spool.
  std::uint32_t size = 0;
  FolderIndex folder = 0;
  std::uint32_t moves = 0;  ///< Part of the id without ImmutableId: each move makes another.
  std::uint32_t conversation = 0;
  std::uint16_t categories = 0;
  bool read = false;
  bool draft = false;
  bool attachments = false;  ///< Some that are not inline.
  bool in_flight = false;    ///< Sent, its copy in Sent Items not there yet: nobody finds it.
  FlagStatus flag = FlagStatus::kNotFlagged;
  Importance importance = Importance::kNormal;
};

enum class ChangeKind : std::uint8_t { kAdded, kUpdated, kRemoved };

/// One entry of the log behind delta.
struct LoggedChange {
  std::uint64_t change = 0;
  std::uint32_t slot = 0;
  FolderIndex folder = 0;
  ChangeKind kind = ChangeKind::kUpdated;
  std::uint32_t moves = 0;  ///< Of the message then: part of the id it had.
  std::uint64_t key = 0;
};

static_assert(sizeof(Item) == 64);

/// One person's mail at the simulated Exchange: a tree of folders, messages, and the log of changes. Loop thread only;
/// the spool outlives it. Every arbitrary choice comes from the seed.
class MailStore {
 public:
  /// About 40 bytes each; older changes expire the delta tokens before them.
  static constexpr std::size_t kMaxLog = 1'000'000;
  static constexpr FolderIndex kRoot = 0, kInbox = 1, kDrafts = 2, kSent = 3, kDeleted = 4, kJunk = 5, kArchive = 6,
                               kOutbox = 7;

  /// Delta tokens of a store made anew under the same seed, after a restart, must not fit the new one: whoever makes
  /// one gives another `generation` each time.
  MailStore(Spool& spool, std::uint64_t seed, std::uint64_t generation = 1);

  // Folders.
  const std::vector<Folder>& folders() const { return folders_; }
  const Folder& folder(FolderIndex index) const { return folders_[index]; }
  std::optional<FolderIndex> FindFolder(std::string_view id_or_well_known) const;
  std::string FolderId(FolderIndex index) const;
  /// nullopt: the name is taken there.
  std::optional<FolderIndex> CreateFolder(std::string name, FolderIndex parent, bool hidden);
  bool RenameFolder(FolderIndex index, std::string name);
  /// False: below itself, or the name is taken there.
  bool MoveFolder(FolderIndex index, FolderIndex parent);
  /// The folder, those below and their messages are gone.
  void DeleteFolder(FolderIndex index);
  std::vector<FolderIndex> Children(FolderIndex parent, bool with_hidden) const;
  bool IsWithin(FolderIndex index, FolderIndex ancestor) const;
  /// For the deltas of the tree.
  std::uint64_t tree_generation() const { return tree_generation_; }
  void ExpireFolder(FolderIndex index) { ++folders_[index].generation; }
  void ExpireTree() { ++tree_generation_; }

  // Messages. Slots stay valid for good.
  struct Addition {
    std::string_view raw;
    FolderIndex folder = kInbox;
    std::int64_t received = 0;
    std::int64_t modified = 0;
    bool read = false;
    bool draft = false;
    FlagStatus flag = FlagStatus::kNotFlagged;
    std::vector<std::string> categories;
    std::optional<std::uint32_t> conversation;
    bool logged = true;  ///< False while a mailbox is filled before anybody could look.
  };
  std::uint32_t Add(const Addition& addition);
  const Item& at(std::uint32_t slot) const { return items_[slot]; }
  std::string Raw(const Item& item) const { return spool_.Read(item.offset, item.size); }
  const std::vector<std::string>& Categories(const Item& item) const { return *category_sets_[item.categories]; }
  std::size_t message_count() const { return live_; }

  /// By either form of id; nullopt when malformed (`malformed` is set) or not there.
  std::optional<std::uint32_t> Find(std::string_view id, bool& malformed) const;
  std::string Id(const Item& item, bool immutable) const;
  /// The other form of an id that names a message here.
  std::optional<std::string> Translate(std::string_view id, bool immutable) const;
  std::string ConversationId(const Item& item) const;
  /// "CQAAABYAAAB5x7Uh…", changed with every change of the item.
  std::string ChangeKey(const Item& item) const;

  struct Patch {
    std::optional<bool> read;
    std::optional<FlagStatus> flag;
    std::optional<Importance> importance;
    std::optional<std::vector<std::string>> categories;
    std::optional<std::string> raw;  ///< New content of a draft.
  };
  void Update(std::uint32_t slot, Patch patch, std::int64_t now);
  void Move(std::uint32_t slot, FolderIndex folder, std::int64_t now);
  /// For good.
  void Delete(std::uint32_t slot);
  /// A draft leaves its folder on being sent; Arrive ends that, in Sent Items and no longer a draft.
  void Depart(std::uint32_t slot);
  void Arrive(std::uint32_t slot, std::string_view raw, std::int64_t now);

  /// Slots of a folder's messages, oldest first (received, then key).
  const std::vector<std::uint32_t>& Order(FolderIndex folder) const;
  /// Of all folders.
  const std::vector<std::uint32_t>& OrderOfAll() const;

  // Changes.
  std::uint64_t change() const { return change_; }
  /// Below it nothing is remembered.
  std::uint64_t log_floor() const { return log_floor_; }
  std::deque<LoggedChange>::const_iterator LogAfter(std::uint64_t change) const;
  std::deque<LoggedChange>::const_iterator LogBegin() const { return log_.begin(); }
  std::deque<LoggedChange>::const_iterator LogEnd() const { return log_.end(); }
  /// The id that a message had when `change` was logged.
  std::string IdAt(const LoggedChange& change, bool immutable) const;
  /// Ids of messages deleted for good, immutable.
  const std::vector<std::uint64_t>& deleted_keys() const { return deleted_; }
  std::string ImmutableId(std::uint64_t key) const;

  /// Told after each logged change. One listener; it may not change the store.
  void OnChange(std::function<void(std::uint32_t slot, FolderIndex folder, ChangeKind kind)> listener) {
    listener_ = std::move(listener);
  }

 private:
  /// Sorted slots; while a mailbox is filled, additions wait to be sorted together.
  struct Ordered {
    mutable std::vector<std::uint32_t> slots;
    mutable bool dirty = false;
  };

  void AddFolder(std::string name, std::string well_known, FolderIndex parent, bool hidden);
  bool NameTaken(std::string_view name, FolderIndex parent, FolderIndex except) const;
  bool Before(std::uint32_t a, std::uint32_t b) const;
  void Insert(Ordered& order, std::uint32_t slot, bool bulk);
  void Erase(Ordered& order, std::uint32_t slot);
  const std::vector<std::uint32_t>& Sorted(const Ordered& order) const;
  void Enter(std::uint32_t slot, FolderIndex folder, bool bulk);
  void Leave(std::uint32_t slot);
  void Log(std::uint32_t slot, FolderIndex folder, ChangeKind kind);
  void Touch(FolderIndex folder) { folders_[folder].change = change_; }
  std::uint16_t InternCategories(std::vector<std::string> categories);
  std::uint32_t PickConversation(std::string_view raw);
  void ReadContent(Item& item, std::string_view raw);

  Spool& spool_;
  std::uint64_t seed_;
  std::vector<Folder> folders_;
  std::vector<Ordered> orders_;
  Ordered all_;
  std::vector<Item> items_;
  IdMap slots_;
  IdMap conversations_;  ///< Hash of a Message-ID, seen or referred to.
  IdMap conversations_by_subject_;
  std::uint32_t next_conversation_ = 1;
  std::map<std::vector<std::string>, std::uint16_t> interned_;
  std::vector<const std::vector<std::string>*> category_sets_;
  std::deque<LoggedChange> log_;
  std::uint64_t log_floor_ = 0;
  std::uint64_t change_ = 0;
  std::uint64_t next_key_ = 1;
  std::uint64_t tree_generation_;
  std::uint64_t first_generation_;
  std::vector<std::uint64_t> deleted_;
  std::size_t live_ = 0;
  std::function<void(std::uint32_t, FolderIndex, ChangeKind)> listener_;
};

}  // namespace latchkey::simulator::graph
