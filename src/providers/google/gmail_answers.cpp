#include "providers/google/gmail_answers.hpp"

#include <algorithm>
#include <unordered_set>

#include "mail/charset.hpp"
#include "providers/google/gmail_json.hpp"

namespace latchkey::google {
namespace {

namespace ondemand = simdjson::ondemand;

std::unexpected<Error> Malformed(std::string_view what) {
  return Fail(ErrorCode::kMalformedReply, "gmail " + std::string(what) + ": not the documented shape");
}

/// Calls `visit(key, value)` for each member; false when the object is broken or `visit` says so.
template <class Visit>
bool ForEachMember(ondemand::object object, const Visit& visit) {
  for (auto entry : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(entry).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS)
      return false;
    if (!visit(key, field.value())) return false;
  }
  return true;
}

/// Calls `visit(object)` for each element of an array of objects; an absent or other value has none.
template <class Visit>
bool ForEachObject(ondemand::value value, const Visit& visit) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return true;
  for (auto entry : array) {
    ondemand::value item;
    ondemand::object object;
    if (entry.get(item) != simdjson::SUCCESS || item.get_object().get(object) != simdjson::SUCCESS) return false;
    if (!visit(object)) return false;
  }
  return true;
}

class Answer {
 public:
  explicit Answer(std::string& json) : json_(json) {}

  template <class Visit>
  bool Read(const Visit& visit) {
    ondemand::object object;
    if (ThreadParser().iterate(Padded(json_)).get(document_) != simdjson::SUCCESS) return false;
    if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
    return ForEachMember(object, visit);
  }
  std::string Text(ondemand::value value) { return mail::CleanUtf8(std::string(strings_.Read(value).value_or(""))); }
  std::uint64_t Number(ondemand::value value) { return strings_.ReadUnsigned(value).value_or(0); }

 private:
  std::string& json_;
  ondemand::document document_;
  JsonStrings strings_;
};

mail::Label::Role RoleOf(std::string_view id) {
  using Role = mail::Label::Role;
  struct Known {
    std::string_view id;
    Role role;
  };
  static constexpr Known kKnown[] = {
      {"INBOX", Role::kInbox}, {"SENT", Role::kSent},       {"DRAFT", Role::kDrafts},        {"TRASH", Role::kTrash},
      {"SPAM", Role::kSpam},   {"STARRED", Role::kStarred}, {"IMPORTANT", Role::kImportant}, {"UNREAD", Role::kUnread}};
  for (const Known& known : kKnown) {
    if (known.id == id) return known.role;
  }
  return id.starts_with("CATEGORY_") ? Role::kCategory : Role::kNone;
}

}  // namespace

Result<Profile> ParseProfile(std::string& json) {
  Answer answer(json);
  Profile profile;
  const bool ok = answer.Read([&](std::string_view key, ondemand::value value) {
    if (key == "historyId") profile.history_id = std::to_string(answer.Number(value));
    if (key == "messagesTotal") profile.messages_total = static_cast<std::int64_t>(answer.Number(value) & INT64_MAX);
    return true;
  });
  if (!ok || profile.history_id.empty()) return Malformed("profile");
  return profile;
}

Result<std::vector<mail::Label>> ParseLabels(std::string& json) {
  constexpr std::size_t kMaxLabels = 20'000;  // Gmail's own limit is 10,000.
  Answer answer(json);
  std::vector<mail::Label> labels;
  const auto read_label = [&](ondemand::object object) {
    mail::Label label;
    const bool ok = ForEachMember(object, [&](std::string_view key, ondemand::value value) {
      if (key == "id") label.external_id = answer.Text(value);
      if (key == "name") label.name = answer.Text(value);
      if (key == "labelListVisibility") label.visible = answer.Text(value) != "labelHide";
      return true;
    });
    label.role = RoleOf(label.external_id);
    mail::TruncateUtf8(label.name, 1024);
    if (!label.external_id.empty() && labels.size() < kMaxLabels) labels.push_back(std::move(label));
    return ok;
  };
  const bool ok = answer.Read(
      [&](std::string_view key, ondemand::value value) { return key != "labels" || ForEachObject(value, read_label); });
  if (!ok) return Malformed("labels");
  std::sort(labels.begin(), labels.end(),
            [](const mail::Label& a, const mail::Label& b) { return a.external_id < b.external_id; });
  return labels;
}

Result<mail::IdPage> ParseIdPage(std::string& json) {
  Answer answer(json);
  mail::IdPage page;
  const auto read_message = [&](ondemand::object object) {
    return ForEachMember(object, [&](std::string_view key, ondemand::value value) {
      if (key == "id") {
        if (std::string id = answer.Text(value); !id.empty()) page.ids.push_back(std::move(id));
      }
      return true;
    });
  };
  const bool ok = answer.Read([&](std::string_view key, ondemand::value value) {
    if (key == "messages") return ForEachObject(value, read_message);
    if (key == "nextPageToken") page.next_page = answer.Text(value);
    if (key == "resultSizeEstimate") page.estimated_total = static_cast<std::int64_t>(answer.Number(value) & INT64_MAX);
    return true;
  });
  if (!ok) return Malformed("message list");
  return page;
}

Result<HistoryPage> ParseHistory(std::string& json) {
  struct Entry {
    std::string id;
    std::vector<std::string> labels;
  };
  Answer answer(json);
  HistoryPage page;
  std::vector<std::string> added;
  const auto read_labels = [&](ondemand::value value, std::vector<std::string>& out) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return true;
    for (auto entry : array) {
      ondemand::value item;
      if (entry.get(item) != simdjson::SUCCESS) return false;
      out.push_back(answer.Text(item));
    }
    return true;
  };
  const auto read_entry = [&](ondemand::object object, Entry& entry) {
    return ForEachMember(object, [&](std::string_view key, ondemand::value value) {
      if (key == "labelIds") return read_labels(value, entry.labels);
      if (key != "message") return true;
      ondemand::object message;
      if (value.get_object().get(message) != simdjson::SUCCESS) return false;
      return ForEachMember(message, [&](std::string_view name, ondemand::value member) {
        if (name == "id") entry.id = answer.Text(member);
        return true;
      });
    });
  };
  const auto read_record = [&](ondemand::object object) {
    std::uint64_t version = 0;
    std::vector<mail::LabelChange> changes;
    const bool ok = ForEachMember(object, [&](std::string_view key, ondemand::value value) {
      if (key == "id") {
        version = answer.Number(value);
        return true;
      }
      const bool is_added = key == "messagesAdded", is_deleted = key == "messagesDeleted";
      const bool labels_added = key == "labelsAdded", labels_removed = key == "labelsRemoved";
      if (!is_added && !is_deleted && !labels_added && !labels_removed) return true;
      return ForEachObject(value, [&](ondemand::object item) {
        Entry entry;
        if (!read_entry(item, entry)) return false;
        if (entry.id.empty()) return true;
        if (is_added) {
          added.push_back(std::move(entry.id));
        } else if (is_deleted) {
          page.deleted.push_back(std::move(entry.id));
        } else {
          mail::LabelChange change{.external_id = std::move(entry.id)};
          (labels_added ? change.added : change.removed) = std::move(entry.labels);
          changes.push_back(std::move(change));
        }
        return true;
      });
    });
    // The id may stand behind the changes it belongs to.
    for (mail::LabelChange& change : changes) {
      change.version = version;
      page.label_changes.push_back(std::move(change));
    }
    return ok;
  };
  const bool ok = answer.Read([&](std::string_view key, ondemand::value value) {
    if (key == "history") return ForEachObject(value, read_record);
    if (key == "nextPageToken") page.next_page = answer.Text(value);
    if (key == "historyId") page.history_id = std::to_string(answer.Number(value));
    return true;
  });
  if (!ok || page.history_id.empty()) return Malformed("history");

  const std::unordered_set<std::string> gone(page.deleted.begin(), page.deleted.end());
  std::unordered_set<std::string> seen;
  for (std::string& id : added) {
    if (!gone.contains(id) && seen.insert(id).second) page.added.push_back(std::move(id));
  }
  std::erase_if(page.label_changes, [&](const mail::LabelChange& change) { return gone.contains(change.external_id); });
  return page;
}

}  // namespace latchkey::google
