#include "providers/microsoft/graph_folders.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/encoding.hpp"
#include "providers/microsoft/graph_message.hpp"

namespace latchkey::microsoft {
namespace {

using mail::Folder;
using mail::Lane;
using Role = mail::Label::Role;

constexpr std::string_view kQuery =
    "includeHiddenFolders=true&$top=100&$select=id,displayName,parentFolderId,childFolderCount,totalItemCount,isHidden";
constexpr std::size_t kMaxFolders = 10'000;  // Exchange's own limit.
constexpr int kMaxDepth = 300;               // Likewise.

struct WellKnown {
  std::string_view name;
  Role role;
};
constexpr WellKnown kWellKnown[] = {{"inbox", Role::kInbox},        {"sentitems", Role::kSent},
                                    {"drafts", Role::kDrafts},      {"archive", Role::kArchive},
                                    {"deleteditems", Role::kTrash}, {"junkemail", Role::kSpam}};

/// Where a folder stands in the order in which mailboxes are read.
int Rank(Role role) {
  switch (role) {
    case Role::kInbox:
      return 0;
    case Role::kSent:
      return 1;
    case Role::kDrafts:
      return 2;
    case Role::kNone:
      return 3;
    case Role::kArchive:
      return 4;
    case Role::kTrash:
      return 5;
    default:
      return 6;
  }
}

/// The tree, level by level.
class TreeReader {
 public:
  TreeReader(GraphClient& client, Lane lane) : client_(client), lane_(lane) {}

  Task<Result<void>> Read() {
    auto top = co_await ReadList("me/mailFolders?" + std::string(kQuery));
    if (!top) co_return top;
    for (int depth = 0; depth < kMaxDepth && !parents_.empty(); ++depth) {
      auto level = co_await ReadChildren(std::exchange(parents_, {}));
      if (!level) co_return level;
    }
    co_return Result<void>();
  }
  std::vector<Folder> Take() { return std::move(folders_); }

 private:
  Task<Result<void>> ReadList(std::string path) {
    while (!path.empty()) {
      const GraphRequest request{.call = GraphCall::kFolders, .path = std::exchange(path, {}), .lane = lane_};
      auto answer = co_await client_.Send(request);
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      auto next = Keep(answer->body);
      if (!next) co_return std::unexpected(std::move(next.error()));
      path = std::move(*next);
    }
    co_return Result<void>();
  }

  Task<Result<void>> ReadChildren(std::vector<std::string> parents) {
    std::vector<GraphBatchPart> parts;
    for (const std::string& parent : parents) {
      GraphBatchPart part;
      part.path = "me/mailFolders/" + PercentEncode(parent) + "/childFolders?" + std::string(kQuery);
      parts.push_back(std::move(part));
    }
    auto answers = co_await client_.Batch(parts, GraphCall::kFolders, lane_);
    if (!answers) co_return std::unexpected(std::move(answers.error()));
    for (auto& answer : *answers) {
      // Deleted between its parent's list and now.
      if (!answer && answer.error().code == ErrorCode::kGone) continue;
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      auto next = Keep(answer->body);
      if (!next) co_return std::unexpected(std::move(next.error()));
      if (next->empty()) continue;
      auto rest = co_await ReadList(std::move(*next));
      if (!rest) co_return rest;
    }
    co_return Result<void>();
  }

  /// The path of the next page.
  Result<std::string> Keep(std::string& body) {
    auto page = ParseGraphFolders(body);
    if (!page) return std::unexpected(std::move(page.error()));
    for (GraphFolder& found : page->folders) {
      if (found.search || folders_.size() >= kMaxFolders) continue;
      if (found.child_count > 0) parents_.push_back(found.folder.label.external_id);
      folders_.push_back(std::move(found.folder));
    }
    if (page->next_link.empty()) return std::string();
    return client_.PathOf(page->next_link);
  }

  GraphClient& client_;
  Lane lane_;
  std::vector<Folder> folders_;
  std::vector<std::string> parents_;
};

void NameAndSort(std::vector<Folder>& folders) {
  std::map<std::string, const Folder*> by_id;
  for (const Folder& folder : folders) by_id.emplace(folder.label.external_id, &folder);
  std::vector<std::string> names;
  for (const Folder& folder : folders) {
    std::string name = folder.label.name;
    // A parent that is not listed is the root of all.
    auto parent = by_id.find(folder.parent_id);
    for (int depth = 0; parent != by_id.end() && depth < 20; ++depth) {
      name = parent->second->label.name + "/" + name;
      parent = by_id.find(parent->second->parent_id);
    }
    names.push_back(std::move(name));
  }
  for (std::size_t i = 0; i < folders.size(); ++i) folders[i].label.name = std::move(names[i]);
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) {
    return std::tuple(Rank(a.label.role), std::string_view(a.label.name), std::string_view(a.label.external_id)) <
           std::tuple(Rank(b.label.role), std::string_view(b.label.name), std::string_view(b.label.external_id));
  });
}

}  // namespace

Task<Result<std::vector<std::pair<std::string, Role>>>> ReadWellKnownFolders(GraphClient& client, Lane lane) {
  std::vector<GraphBatchPart> parts;
  for (const WellKnown& known : kWellKnown) {
    GraphBatchPart part;
    part.path = "me/mailFolders/" + std::string(known.name) + "?$select=id";
    parts.push_back(std::move(part));
  }
  auto answers = co_await client.Batch(parts, GraphCall::kFolders, lane);
  if (!answers) co_return std::unexpected(std::move(answers.error()));
  std::vector<std::pair<std::string, Role>> roles;
  for (std::size_t i = 0; i < answers->size(); ++i) {
    auto& answer = (*answers)[i];
    // Not every mailbox has an archive.
    if (!answer && (answer.error().code == ErrorCode::kGone || answer.error().code == ErrorCode::kNotFound)) continue;
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto folder = ParseGraphFolder(answer->body);
    if (!folder) co_return std::unexpected(std::move(folder.error()));
    roles.emplace_back(folder->folder.label.external_id, kWellKnown[i].role);
  }
  co_return roles;
}

Task<Result<std::vector<Folder>>> ReadGraphFolders(GraphClient& client, Lane lane) {
  TreeReader tree(client, lane);
  auto read = co_await tree.Read();
  if (!read) co_return std::unexpected(std::move(read.error()));
  auto roles = co_await ReadWellKnownFolders(client, lane);
  if (!roles) co_return std::unexpected(std::move(roles.error()));
  std::vector<Folder> folders = tree.Take();
  for (Folder& folder : folders) {
    const auto role = std::find_if(roles->begin(), roles->end(),
                                   [&](const auto& entry) { return entry.first == folder.label.external_id; });
    if (role != roles->end()) folder.label.role = role->second;
  }
  NameAndSort(folders);
  co_return folders;
}

}  // namespace latchkey::microsoft
