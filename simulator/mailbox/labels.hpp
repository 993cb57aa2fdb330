#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator {

/// A label of Gmail. System labels have their id as name.
struct Label {
  std::string id;
  std::string name;
  bool user = false;
  bool deleted = false;  ///< The slot stays, so that recorded history keeps its meaning.
  std::string message_list_visibility;
  std::string label_list_visibility;
  std::string background_color;
  std::string text_color;
};

using LabelIndex = std::uint16_t;
/// Sorted, without repetition.
using LabelSet = std::vector<LabelIndex>;
/// A mailbox has few different combinations of labels; messages and history refer to them by number.
using LabelSetId = std::uint32_t;

/// The labels of one mailbox and the combinations in use. Indexes and set ids are never reused.
class LabelTable {
 public:
  /// 10,000 is Gmail's own limit for user labels.
  static constexpr std::size_t kMaxLabels = 10'000;

  LabelTable();

  const std::vector<Label>& all() const { return labels_; }
  const Label& at(LabelIndex index) const { return labels_[index]; }
  Label& at(LabelIndex index) { return labels_[index]; }

  std::optional<LabelIndex> FindById(std::string_view id) const;
  /// Without regard to case, as Gmail compares names.
  std::optional<LabelIndex> FindByName(std::string_view name) const;
  /// A new user label ("Label_7"); nullopt when the table is full or the name is taken.
  std::optional<LabelIndex> Create(std::string name);

  LabelSetId Intern(LabelSet set);
  const LabelSet& Set(LabelSetId id) const { return *sets_[id]; }
  std::size_t set_count() const { return sets_.size(); }
  bool Contains(LabelSetId set, LabelIndex label) const;
  std::vector<std::string> Ids(LabelSetId set) const;

  /// The fixed places of the system labels that the mailbox itself cares about.
  static constexpr LabelIndex kInbox = 0, kUnread = 1, kStarred = 2, kImportant = 3, kSent = 4, kDraft = 5, kSpam = 6,
                              kTrash = 7, kChat = 8;

 private:
  std::vector<Label> labels_;
  std::map<LabelSet, LabelSetId> interned_;
  std::vector<const LabelSet*> sets_;
  std::size_t next_user_number_ = 1;
};

}  // namespace latchkey::simulator
