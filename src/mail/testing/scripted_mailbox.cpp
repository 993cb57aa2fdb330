#include "mail/testing/scripted_mailbox.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include <fmt/format.h>

namespace latchkey::mail::testing {

std::string ScriptedMailbox::Deliver(std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end());
  Message message;
  message.external_id = fmt::format("{:016x}", next_message_++);
  message.thread_id = message.external_id;
  message.version = ++history_id_;
  message.subject = "Subject of " + message.external_id;
  message.text = "Text of " + message.external_id;
  message.from = {{.name = "Ann", .address = "ann@example.com"}};
  message.received_at = FromMicros(static_cast<std::int64_t>(1'700'000'000'000'000 + next_message_ * 1'000'000));
  message.label_ids = std::move(labels);
  message.is_read = std::find(message.label_ids.begin(), message.label_ids.end(), "UNREAD") == message.label_ids.end();
  history_.push_back({.id = history_id_, .kind = Record::Kind::kAdded, .message = message.external_id});
  const std::string id = message.external_id;
  messages_.emplace(id, std::move(message));
  return id;
}

void ScriptedMailbox::ChangeLabels(const std::string& id, const std::vector<std::string>& add,
                                   const std::vector<std::string>& remove) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return;
  std::set<std::string> labels(found->second.label_ids.begin(), found->second.label_ids.end());
  labels.insert(add.begin(), add.end());
  for (const std::string& label : remove) labels.erase(label);
  found->second.label_ids.assign(labels.begin(), labels.end());
  found->second.is_read = !labels.contains("UNREAD");
  found->second.version = ++history_id_;
  history_.push_back(
      {.id = history_id_, .kind = Record::Kind::kLabels, .message = id, .added = add, .removed = remove});
}

void ScriptedMailbox::Delete(const std::string& id) {
  if (messages_.erase(id) == 0) return;
  history_.push_back({.id = ++history_id_, .kind = Record::Kind::kDeleted, .message = id});
}

std::string ScriptedMailbox::RandomId() {
  if (messages_.empty()) return {};
  auto it = messages_.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(random_() % messages_.size()));
  return it->first;
}

Task<Result<void>> ScriptedMailbox::Answer(std::string_view what, const std::string& id) {
  ++calls[std::string(what)];
  const auto executor = co_await boost::asio::this_coro::executor;
  for (std::uint64_t turns = random_() % 4; turns > 0; --turns) {
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    if (while_waiting) while_waiting();
  }
  if (failure) {
    if (auto error = failure(what, id)) co_return std::unexpected(std::move(*error));
  }
  co_return Result<void>();
}

Task<Result<std::string>> ScriptedMailbox::CurrentCursor() {
  auto answer = co_await Answer("profile", {});
  if (!answer) co_return std::unexpected(answer.error());
  co_return std::to_string(history_id_);
}

Task<Result<std::int64_t>> ScriptedMailbox::EstimateTotal() {
  auto answer = co_await Answer("profile", {});
  if (!answer) co_return std::unexpected(answer.error());
  co_return static_cast<std::int64_t>(messages_.size());
}

Task<Result<std::vector<Label>>> ScriptedMailbox::ListLabels() {
  auto answer = co_await Answer("labels", {});
  if (!answer) co_return std::unexpected(answer.error());
  std::vector<Label> labels = {{.external_id = "INBOX", .name = "INBOX", .role = Label::Role::kInbox},
                               {.external_id = "Label_1", .name = "Friends"},
                               {.external_id = "STARRED", .name = "STARRED", .role = Label::Role::kStarred},
                               {.external_id = "TRASH", .name = "TRASH", .role = Label::Role::kTrash},
                               {.external_id = "UNREAD", .name = "UNREAD", .role = Label::Role::kUnread}};
  co_return labels;
}

Task<Result<ChangePage>> ScriptedMailbox::Changes(const std::string& cursor, Lane) {
  auto answer = co_await Answer("changes", {});
  if (!answer) co_return std::unexpected(answer.error());
  const std::size_t blank = cursor.find(' ');
  const std::uint64_t start = std::stoull(cursor.substr(0, blank));
  const std::uint64_t from = blank == std::string::npos ? start : std::stoull(cursor.substr(blank + 1));
  if (start < oldest_cursor_) co_return Fail(ErrorCode::kCursorExpired);
  ChangePage page;
  page.next_cursor = std::to_string(history_id_);
  std::size_t taken = 0;
  for (const Record& record : history_) {
    if (record.id <= from) continue;
    if (taken++ == history_page_size) {
      page.more = true;
      break;
    }
    if (record.kind == Record::Kind::kAdded) page.added.push_back(record.message);
    if (record.kind == Record::Kind::kDeleted) page.deleted.push_back(record.message);
    if (record.kind == Record::Kind::kLabels) {
      page.label_changes.push_back(
          {.external_id = record.message, .version = record.id, .added = record.added, .removed = record.removed});
    }
    if (page.more) break;
    if (taken == history_page_size) page.next_cursor = fmt::format("{} {}", start, record.id);
  }
  if (!page.more) page.next_cursor = std::to_string(history_id_);
  co_return page;
}

Task<Result<IdPage>> ScriptedMailbox::ListIds(const std::string& page, Lane) {
  auto answer = co_await Answer("list", page);
  if (!answer) co_return std::unexpected(answer.error());
  IdPage result;
  result.estimated_total = static_cast<std::int64_t>(messages_.size());
  for (auto it = messages_.rbegin(); it != messages_.rend(); ++it) {
    if (!page.empty() && it->first >= page) continue;
    if (result.ids.size() == page_size) {
      result.next_page = result.ids.back();
      break;
    }
    result.ids.push_back(it->first);
  }
  co_return result;
}

Task<Result<Message>> ScriptedMailbox::Read(std::string_view what, const std::string& id) {
  struct Count {
    int& in_flight;
    ~Count() { --in_flight; }
  };
  most_in_flight = std::max(most_in_flight, ++in_flight);
  const Count count{in_flight};
  auto answer = co_await Answer(what, id);
  if (!answer) co_return std::unexpected(answer.error());
  const auto found = messages_.find(id);
  if (found == messages_.end()) co_return Fail(ErrorCode::kGone);
  Message message = found->second;
  // The answer was made at the provider at one instant and takes a while to arrive.
  const auto executor = co_await boost::asio::this_coro::executor;
  for (std::uint64_t turns = random_() % 6; turns > 0; --turns) {
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    if (while_waiting) while_waiting();
  }
  co_return message;
}

Task<Result<Message>> ScriptedMailbox::GetMessage(const std::string& external_id, Lane) {
  return Read("get", external_id);
}

Task<Result<Message>> ScriptedMailbox::GetMessageState(const std::string& external_id, Lane) {
  auto message = co_await Read("state", external_id);
  if (message) {
    message->subject.clear();
    message->text.clear();
    message->from.clear();
  }
  co_return message;
}

Task<Result<void>> ScriptedMailbox::GetAttachment(const std::string&, const Attachment&,
                                                  const std::function<Task<bool>(std::string_view)>&) {
  co_return Fail(ErrorCode::kGone);
}

}  // namespace latchkey::mail::testing
