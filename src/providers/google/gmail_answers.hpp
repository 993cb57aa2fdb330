#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "mail/mail_provider.hpp"

namespace latchkey::google {

/// Readers of Gmail's other answers. Each uses `json` as working space and fails with kMalformedReply.
struct Profile {
  std::string history_id;
  std::int64_t messages_total = 0;
};
Result<Profile> ParseProfile(std::string& json);
Result<std::vector<mail::Label>> ParseLabels(std::string& json);
Result<mail::IdPage> ParseIdPage(std::string& json);

/// One page of users.history.list. The typed arrays decide; `messages` only repeats them. A message that was added and
/// deleted within the page is deleted; label changes come in the history's order with their record's id as version.
struct HistoryPage {
  std::vector<std::string> added;
  std::vector<mail::LabelChange> label_changes;
  std::vector<std::string> deleted;
  std::string next_page;
  /// The mailbox's present id, on every page the same: good as cursor only once the last page is stored.
  std::string history_id;
};
Result<HistoryPage> ParseHistory(std::string& json);

}  // namespace latchkey::google
