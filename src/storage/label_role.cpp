#include "storage/label_role.hpp"

namespace latchkey::storage {

std::string_view RoleName(mail::Label::Role role) {
  switch (role) {
    case mail::Label::Role::kNone:
      return "none";
    case mail::Label::Role::kInbox:
      return "inbox";
    case mail::Label::Role::kSent:
      return "sent";
    case mail::Label::Role::kDrafts:
      return "drafts";
    case mail::Label::Role::kTrash:
      return "trash";
    case mail::Label::Role::kSpam:
      return "spam";
    case mail::Label::Role::kStarred:
      return "starred";
    case mail::Label::Role::kImportant:
      return "important";
    case mail::Label::Role::kUnread:
      return "unread";
    case mail::Label::Role::kCategory:
      return "category";
    case mail::Label::Role::kArchive:
      return "archive";
  }
  return "none";
}

mail::Label::Role ParseLabelRole(std::string_view name) {
  for (int number = 0; number <= static_cast<int>(mail::Label::Role::kArchive); ++number) {
    const auto role = static_cast<mail::Label::Role>(number);
    if (RoleName(role) == name) return role;
  }
  return mail::Label::Role::kNone;
}

}  // namespace latchkey::storage
