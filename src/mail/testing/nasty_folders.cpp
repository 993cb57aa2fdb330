#include "mail/testing/nasty_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace latchkey::mail::testing {

void NastyFolders::Log(const std::string& id, const std::string& folder) {
  if (const auto log = logs_.find(folder); log != logs_.end()) log->second[id] = ++changes_;
}

std::string NastyFolders::Deliver(const std::string& folder) {
  const std::string id = "m" + std::to_string(++delivered_);
  messages[id] = {.folder = folder, .subject = "Subject " + id, .changed_at = clock_.Now()};
  Log(id, folder);
  return id;
}

void NastyFolders::Move(const std::string& id, const std::string& folder) {
  Item& item = messages.at(id);
  if (item.folder == folder) return;
  const std::string from = std::exchange(item.folder, folder);
  item.changed_at = clock_.Now();
  // Either folder may be the first to know.
  if (Roll(2) == 0) {
    Log(id, from);
    Log(id, folder);
  } else {
    Log(id, folder);
    Log(id, from);
  }
}

void NastyFolders::Delete(const std::string& id) {
  const std::string folder = messages.at(id).folder;
  messages.erase(id);
  Log(id, folder);
}

void NastyFolders::Touch(const std::string& id) {
  Item& item = messages.at(id);
  item.is_read = !item.is_read;
  item.starred = Roll(4) == 0;
  item.changed_at = clock_.Now();
  Log(id, item.folder);
}

void NastyFolders::DropFolder(const std::string& id) {
  std::vector<std::string> inside;
  for (const auto& [message, item] : messages) {
    if (item.folder == id) inside.push_back(message);
  }
  for (const std::string& message : inside) messages.erase(message);
  folders.erase(id);
  logs_.erase(id);
}

std::string NastyFolders::AnyMessage() {
  if (messages.empty()) return {};
  return std::next(messages.begin(), Roll(static_cast<int>(messages.size())))->first;
}

std::string NastyFolders::AnyFolder() {
  return std::next(folders.begin(), Roll(static_cast<int>(folders.size())))->first;
}

void NastyFolders::Stir() {
  const std::string message = AnyMessage();
  const int what = Roll(20);
  if (what < 6 || message.empty()) {
    Deliver(AnyFolder());
  } else if (what < 13) {
    Move(message, AnyFolder());
  } else if (what < 15) {
    Delete(message);
  } else if (what < 18) {
    Touch(message);
  } else if (what == 18 && folders.size() < 8) {
    AddFolder("f" + std::to_string(++delivered_));
  } else if (what == 19 && folders.size() > 3) {
    const std::string folder = AnyFolder();
    if (folder != "inbox") DropFolder(folder);
  }
  if (expiring && Roll(10) == 0) Expire(AnyFolder());
}

Result<void> NastyFolders::Call() {
  ++calls;
  if (Roll(100) < stirring_percent) Stir();
  if (Roll(100) < failing_percent) return Fail(ErrorCode::kProviderUnavailable, "nasty");
  return {};
}

Message NastyFolders::MessageOf(const std::string& id) const {
  const Item& item = messages.at(id);
  Message message;
  message.external_id = id;
  message.subject = item.subject;
  message.text = "Text of " + id;
  message.label_ids = {item.folder};
  if (item.starred) message.label_ids.insert(message.label_ids.begin(), std::string(kFlaggedLabel));
  std::sort(message.label_ids.begin(), message.label_ids.end());
  message.is_read = item.is_read;
  message.is_starred = item.starred;
  message.received_at = FromMicros(1'700'000'000'000'000 + std::stoll(id.substr(1)) * 1'000'000);
  // As the adapter makes it: the provider's second first, then when we asked.
  const auto second = std::chrono::floor<std::chrono::seconds>(item.changed_at.time_since_epoch()).count();
  const auto age = std::chrono::floor<std::chrono::milliseconds>(clock_.Now() - item.changed_at).count() + 600'000;
  message.version = static_cast<std::uint64_t>(second) << 29 | static_cast<std::uint64_t>(age / 64);
  return message;
}

Task<Result<std::vector<Folder>>> NastyFolders::ListFolders(Lane) {
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  std::vector<Folder> list;
  for (const auto& [id, name] : folders) {
    Folder folder;
    folder.label.external_id = id;
    folder.label.name = name;
    folder.label.role = id == "inbox" ? Label::Role::kInbox : Label::Role::kNone;
    folder.total =
        std::count_if(messages.begin(), messages.end(), [&](const auto& entry) { return entry.second.folder == id; });
    list.push_back(std::move(folder));
  }
  // One is missed at times: the tree is read in several calls.
  if (list.size() > 2 && failing_percent > 0 && Roll(10) == 0) list.pop_back();
  co_return list;
}

Task<Result<Folder>> NastyFolders::GetFolder(const std::string& folder_id, Lane) {
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  const auto found = folders.find(folder_id);
  if (found == folders.end()) co_return Fail(ErrorCode::kGone);
  Folder folder;
  folder.label.external_id = folder_id;
  folder.label.name = found->second;
  co_return folder;
}

/// Links: "<generation> <position> <end of the run or -> ". A round lists what is there, oldest change first, up to the
/// run's end; what changes meanwhile comes behind the last link.
Task<Result<FolderPage>> NastyFolders::Changes(const std::string& folder_id, const std::string& link, Lane) {
  FolderPage page;
  page.asked_at = clock_.Now();
  ++asked[folder_id];
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  if (!folders.contains(folder_id)) co_return Fail(ErrorCode::kGone);
  int generation = generations_[folder_id];
  std::int64_t position = 0;
  bool round = link.empty();
  if (!link.empty()) {
    std::istringstream in(link);
    int made = 0;
    std::string kind;
    in >> made >> position >> kind;
    round = kind == "round";
    if (made != generation) co_return Fail(ErrorCode::kCursorExpired);
  }
  const auto& log = logs_[folder_id];
  std::vector<std::pair<std::int64_t, std::string>> entries;
  for (const auto& [id, change] : log) {
    if (change > position) entries.emplace_back(change, id);
  }
  std::sort(entries.begin(), entries.end());
  const std::size_t size = static_cast<std::size_t>(Roll(4));
  std::size_t taken = 0;
  for (const auto& [change, id] : entries) {
    if (taken == size) break;
    ++taken;
    position = change;
    const auto found = messages.find(id);
    const bool here = found != messages.end() && found->second.folder == folder_id;
    if (!here) {
      // A round only lists what is there, except what it has told of already.
      page.removed.push_back(id);
    } else if (!round && Roll(5) == 0) {
      page.incomplete.push_back(id);
    } else {
      page.messages.push_back(MessageOf(id));
      if (Roll(6) == 0) page.messages.push_back(MessageOf(id));
    }
  }
  page.more = taken < entries.size() || (size == 0 && Roll(3) != 0);
  page.link = fmt::format("{} {} {}", generation, position, page.more && round ? "round" : "delta");
  co_return page;
}

Task<Result<FolderPage>> NastyFolders::Newest(const std::string& folder_id, int limit, Lane) {
  FolderPage page;
  page.asked_at = clock_.Now();
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  if (!folders.contains(folder_id)) co_return Fail(ErrorCode::kGone);
  std::vector<std::pair<int, std::string>> inside;
  for (const auto& [id, item] : messages) {
    if (item.folder == folder_id) inside.emplace_back(-std::stoi(id.substr(1)), id);
  }
  std::sort(inside.begin(), inside.end());
  for (const auto& [order, id] : inside) {
    if (static_cast<int>(page.messages.size()) == limit) break;
    page.messages.push_back(MessageOf(id));
  }
  co_return page;
}

Task<Result<std::vector<LocatedMessage>>> NastyFolders::Locate(const std::vector<std::string>& external_ids, Lane) {
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  std::vector<LocatedMessage> located;
  for (const std::string& id : external_ids) {
    LocatedMessage message{.external_id = id, .state = Message()};
    if (Roll(100) < failing_percent) {
      message.state = Fail(ErrorCode::kRateLimited, "nasty part");
    } else if (messages.contains(id)) {
      message.state = MessageOf(id);
    } else {
      message.state = Fail(ErrorCode::kGone);
    }
    located.push_back(std::move(message));
  }
  co_return located;
}

Task<Result<Message>> NastyFolders::GetMessage(const std::string& external_id, Lane) {
  if (auto called = Call(); !called) co_return std::unexpected(std::move(called.error()));
  if (!messages.contains(external_id)) co_return Fail(ErrorCode::kGone);
  co_return MessageOf(external_id);
}

Task<Result<Message>> NastyFolders::GetMessageState(const std::string& external_id, Lane lane) {
  co_return co_await GetMessage(external_id, lane);
}

Task<Result<IdPage>> NastyFolders::ListIds(const std::string&, Lane) {
  IdPage page;
  for (const auto& [id, item] : messages) page.ids.push_back(id);
  co_return page;
}

}  // namespace latchkey::mail::testing
