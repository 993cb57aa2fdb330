// The tree of folders.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/mail_state.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::size_t kUsualPage = 10;
constexpr std::size_t kMostPage = 1000;

Response FolderAnswer(const MailCall& mail, FolderIndex index, int status,
                      const std::vector<std::string>& select = {}) {
  boost::json::object body;
  body["@odata.context"] = mail.call.Context("mailFolders/$entity");
  for (auto& member : Project(RenderFolder(mail.store(), index), select)) {
    body[member.key()] = std::move(member.value());
  }
  return Json(status, body);
}

std::string TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

Response NameTaken(const MailCall& mail, std::string_view name) {
  return Error(409, "ErrorFolderExists", fmt::format("A folder with the specified name already exists., {}", name),
               mail.now());
}

Response NotForThisFolder(const MailCall& mail) {
  return BadRequest("Distinguished folders cannot be changed or deleted.", mail.now(),
                    "ErrorDeleteDistinguishedFolder");
}

}  // namespace

std::expected<FolderIndex, Response> FindFolder(const MailCall& mail, const std::string& id) {
  const auto folder = mail.store().FindFolder(id);
  if (folder) return *folder;
  // Ids have a known beginning; other texts were meant as one but are none.
  return std::unexpected(id.starts_with("AAMk") ? ItemNotFound(mail.now()) : IdMalformed(mail.now()));
}

Response ListFolders(const MailCall& mail, FolderIndex parent, std::string_view context) {
  const Request& request = mail.call.request;
  const auto query = QueryOptions::Parse(request.query, kMostPage);
  if (!query) return BadRequest(query.error(), mail.now());
  const MailStore& store = mail.store();
  const bool hidden = request.query.Get("includeHiddenFolders") == "true";
  std::vector<FolderIndex> folders = store.Children(parent, hidden);
  if (query->filter) {
    std::erase_if(folders, [&](FolderIndex index) {
      const auto read = [&](std::string_view property) -> std::optional<ODataValue> {
        if (EqualsIgnoreCase(property, "displayName")) return ODataValue(store.folder(index).name);
        if (EqualsIgnoreCase(property, "isHidden")) return ODataValue(store.folder(index).hidden);
        return std::nullopt;
      };
      return !query->filter->Matches(read, [](std::string_view) { return std::vector<std::string>(); });
    });
  }
  const std::size_t page = query->top.value_or(mail.call.preferred_page_size().value_or(kUsualPage));
  boost::json::object answer;
  answer["@odata.context"] = mail.call.Context(context);
  if (query->count) answer["@odata.count"] = folders.size();
  boost::json::array value;
  std::size_t at = query->skip;
  for (; at < folders.size() && value.size() < page; ++at) {
    boost::json::object folder = RenderFolder(store, folders[at]);
    if (std::ranges::any_of(query->expand,
                            [](const std::string& name) { return EqualsIgnoreCase(name, "childFolders"); })) {
      boost::json::array children;
      for (const FolderIndex child : store.Children(folders[at], hidden))
        children.push_back(RenderFolder(store, child));
      folder = Project(std::move(folder), query->select);
      folder["childFolders"] = std::move(children);
    } else {
      folder = Project(std::move(folder), query->select);
    }
    value.push_back(std::move(folder));
  }
  answer["value"] = std::move(value);
  if (at < folders.size()) {
    std::string link = request.Base() + request.path;
    char separator = '?';
    for (const auto& [name, text] : request.query) {
      if (name == "$skip") continue;
      link += fmt::format("{}{}={}", separator, name, PercentEncode(text));
      separator = '&';
    }
    answer["@odata.nextLink"] = fmt::format("{}{}$skip={}", link, separator, at);
  }
  return Json(200, answer);
}

Response GetFolder(const MailCall& mail, const std::string& id) {
  const auto folder = FindFolder(mail, id);
  if (!folder) return folder.error();
  const auto query = QueryOptions::Parse(mail.call.request.query, kMostPage);
  if (!query) return BadRequest(query.error(), mail.now());
  return FolderAnswer(mail, *folder, 200, query->select);
}

Response CreateFolder(const MailCall& mail, FolderIndex parent) {
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const std::string name = TextOf(*body, "displayName");
  if (name.empty()) return BadRequest("The property displayName is required.", mail.now(), "ErrorInvalidParameter");
  const auto* hidden = body->if_contains("isHidden");
  const auto folder = mail.store().CreateFolder(name, parent, hidden && hidden->is_bool() && hidden->as_bool());
  return folder ? FolderAnswer(mail, *folder, 201) : NameTaken(mail, name);
}

Response PatchFolder(const MailCall& mail, const std::string& id) {
  const auto folder = FindFolder(mail, id);
  if (!folder) return folder.error();
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const std::string name = TextOf(*body, "displayName");
  if (name.empty()) return BadRequest("The property displayName is required.", mail.now(), "ErrorInvalidParameter");
  if (!mail.store().folder(*folder).well_known.empty()) return NotForThisFolder(mail);
  return mail.store().RenameFolder(*folder, name) ? FolderAnswer(mail, *folder, 200) : NameTaken(mail, name);
}

Response DeleteFolder(const MailCall& mail, const std::string& id, bool permanently) {
  const auto folder = FindFolder(mail, id);
  if (!folder) return folder.error();
  MailStore& store = mail.store();
  if (!store.folder(*folder).well_known.empty()) return NotForThisFolder(mail);
  // As for messages: first below Deleted Items.
  const bool there = store.IsWithin(*folder, MailStore::kDeleted);
  if (permanently || there || !store.MoveFolder(*folder, MailStore::kDeleted)) store.DeleteFolder(*folder);
  return Response{.status = 204};
}

Response MoveFolder(const MailCall& mail, const std::string& id) {
  const auto folder = FindFolder(mail, id);
  if (!folder) return folder.error();
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const auto destination = FindFolder(mail, TextOf(*body, "destinationId"));
  if (!destination) return destination.error();
  if (!mail.store().folder(*folder).well_known.empty()) return NotForThisFolder(mail);
  if (!mail.store().MoveFolder(*folder, *destination)) {
    return Error(409, "ErrorMoveCopyFailed", "The move or copy operation failed.", mail.now());
  }
  return FolderAnswer(mail, *folder, 200);
}

}  // namespace latchkey::simulator::graph
