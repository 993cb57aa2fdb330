#include "simulator/mailbox/labels.hpp"

#include <algorithm>
#include <iterator>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

struct SystemLabel {
  const char* id;
  bool hidden;
};
// In the order of LabelTable's constants.
constexpr SystemLabel kSystemLabels[] = {{"INBOX", false},
                                         {"UNREAD", false},
                                         {"STARRED", false},
                                         {"IMPORTANT", true},
                                         {"SENT", false},
                                         {"DRAFT", false},
                                         {"SPAM", true},
                                         {"TRASH", true},
                                         {"CHAT", true},
                                         {"CATEGORY_PERSONAL", true},
                                         {"CATEGORY_SOCIAL", true},
                                         {"CATEGORY_PROMOTIONS", true},
                                         {"CATEGORY_UPDATES", true},
                                         {"CATEGORY_FORUMS", true}};

}  // namespace

LabelTable::LabelTable() {
  for (const SystemLabel& label : kSystemLabels) {
    labels_.push_back({.id = label.id,
                       .name = label.id,
                       .message_list_visibility = label.hidden ? "hide" : "",
                       .label_list_visibility = label.hidden ? "labelHide" : ""});
  }
  Intern({});
}

std::optional<LabelIndex> LabelTable::FindById(std::string_view id) const {
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (!labels_[i].deleted && labels_[i].id == id) return static_cast<LabelIndex>(i);
  }
  return std::nullopt;
}

std::optional<LabelIndex> LabelTable::FindByName(std::string_view name) const {
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (!labels_[i].deleted && mime::EqualsNoCase(labels_[i].name, name)) return static_cast<LabelIndex>(i);
  }
  return std::nullopt;
}

std::optional<LabelIndex> LabelTable::Create(std::string name) {
  if (labels_.size() >= kMaxLabels || name.empty() || FindByName(name)) return std::nullopt;
  labels_.push_back({.id = "Label_" + std::to_string(next_user_number_++),
                     .name = std::move(name),
                     .user = true,
                     .message_list_visibility = "show",
                     .label_list_visibility = "labelShow"});
  return static_cast<LabelIndex>(labels_.size() - 1);
}

LabelSetId LabelTable::Intern(LabelSet set) {
  std::ranges::sort(set);
  set.erase(std::ranges::unique(set).begin(), set.end());
  const auto [entry, added] = interned_.emplace(std::move(set), static_cast<LabelSetId>(sets_.size()));
  if (added) sets_.push_back(&entry->first);
  return entry->second;
}

bool LabelTable::Contains(LabelSetId set, LabelIndex label) const {
  return std::ranges::binary_search(*sets_[set], label);
}

std::vector<std::string> LabelTable::Ids(LabelSetId set) const {
  std::vector<std::string> ids;
  for (LabelIndex label : *sets_[set]) ids.push_back(labels_[label].id);
  return ids;
}

}  // namespace latchkey::simulator
