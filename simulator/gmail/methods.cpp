#include "simulator/gmail/methods.hpp"

#include <string>

namespace latchkey::simulator {
namespace {

constexpr std::string_view kMailScope = "https://mail.google.com/";
constexpr std::string_view kScopePrefix = "https://www.googleapis.com/auth/";

constexpr std::string_view kRead = "mail gmail.modify gmail.readonly";
constexpr std::string_view kReadMeta = "mail gmail.modify gmail.readonly gmail.metadata";
constexpr std::string_view kProfile = "mail gmail.modify gmail.readonly gmail.metadata gmail.compose";
constexpr std::string_view kReadLabels = "mail gmail.modify gmail.readonly gmail.metadata gmail.labels";
constexpr std::string_view kWriteLabels = "mail gmail.modify gmail.labels";
constexpr std::string_view kModify = "mail gmail.modify";
constexpr std::string_view kInsert = "mail gmail.modify gmail.insert";
constexpr std::string_view kSend = "mail gmail.modify gmail.compose gmail.send";
constexpr std::string_view kCompose = "mail gmail.modify gmail.compose";
constexpr std::string_view kReadDrafts = "mail gmail.modify gmail.readonly gmail.compose";
constexpr std::string_view kDelete = "mail";
constexpr std::string_view kSettings = "mail gmail.modify gmail.readonly gmail.settings.basic";

using enum MethodId;
constexpr Method kMethods[] = {
    {kGetProfile, "getProfile", "GET", "profile", 1, "GetProfile", kProfile},
    {kWatch, "watch", "POST", "watch", 100, "Watch", kReadMeta},
    {kStop, "stop", "POST", "stop", 50, "Stop", kReadMeta},
    {kLabelsList, "labels.list", "GET", "labels", 1, "ListLabels", kReadLabels},
    {kLabelsGet, "labels.get", "GET", "labels/{}", 1, "GetLabel", kReadLabels},
    {kLabelsCreate, "labels.create", "POST", "labels", 5, "CreateLabel", kWriteLabels},
    {kLabelsUpdate, "labels.update", "PUT", "labels/{}", 5, "UpdateLabel", kWriteLabels},
    {kLabelsPatch, "labels.patch", "PATCH", "labels/{}", 5, "PatchLabel", kWriteLabels},
    {kLabelsDelete, "labels.delete", "DELETE", "labels/{}", 5, "DeleteLabel", kWriteLabels},
    {kMessagesList, "messages.list", "GET", "messages", 5, "ListMessages", kReadMeta},
    // The fixed names stand before "{}", which would take them as an id.
    {kMessagesImport, "messages.import", "POST", "messages/import", 25, "ImportMessage", kInsert, true},
    {kMessagesSend, "messages.send", "POST", "messages/send", 100, "SendMessage", kSend, true},
    {kMessagesBatchModify, "messages.batchModify", "POST", "messages/batchModify", 50, "BatchModifyMessages", kModify},
    {kMessagesBatchDelete, "messages.batchDelete", "POST", "messages/batchDelete", 50, "BatchDeleteMessages", kDelete},
    {kMessagesGet, "messages.get", "GET", "messages/{}", 20, "GetMessage", kReadMeta},
    {kMessagesInsert, "messages.insert", "POST", "messages", 25, "InsertMessage", kInsert, true},
    {kMessagesModify, "messages.modify", "POST", "messages/{}/modify", 5, "ModifyMessage", kModify},
    {kMessagesTrash, "messages.trash", "POST", "messages/{}/trash", 20, "TrashMessage", kModify},
    {kMessagesUntrash, "messages.untrash", "POST", "messages/{}/untrash", 5, "UntrashMessage", kModify},
    {kMessagesDelete, "messages.delete", "DELETE", "messages/{}", 10, "DeleteMessage", kDelete},
    {kAttachmentsGet, "messages.attachments.get", "GET", "messages/{}/attachments/{}", 20, "GetAttachment", kRead},
    {kThreadsList, "threads.list", "GET", "threads", 10, "ListThreads", kReadMeta},
    {kThreadsGet, "threads.get", "GET", "threads/{}", 40, "GetThread", kReadMeta},
    {kThreadsModify, "threads.modify", "POST", "threads/{}/modify", 10, "ModifyThread", kModify},
    {kThreadsTrash, "threads.trash", "POST", "threads/{}/trash", 20, "TrashThread", kModify},
    {kThreadsUntrash, "threads.untrash", "POST", "threads/{}/untrash", 10, "UntrashThread", kModify},
    {kThreadsDelete, "threads.delete", "DELETE", "threads/{}", 20, "DeleteThread", kDelete},
    {kDraftsList, "drafts.list", "GET", "drafts", 5, "ListDrafts", kReadDrafts},
    {kDraftsSend, "drafts.send", "POST", "drafts/send", 100, "SendDraft", kCompose, true},
    {kDraftsGet, "drafts.get", "GET", "drafts/{}", 20, "GetDraft", kReadDrafts},
    {kDraftsCreate, "drafts.create", "POST", "drafts", 10, "CreateDraft", kCompose, true},
    {kDraftsUpdate, "drafts.update", "PUT", "drafts/{}", 15, "UpdateDraft", kCompose, true},
    {kDraftsDelete, "drafts.delete", "DELETE", "drafts/{}", 10, "DeleteDraft", kCompose},
    {kHistoryList, "history.list", "GET", "history", 2, "ListHistory", kReadMeta},
    {kSendAsList, "settings.sendAs.list", "GET", "settings/sendAs", 1, "ListSendAs", kSettings},
};

/// Compares "messages/{}/modify" with segments from `at` on.
bool PathMatches(std::string_view pattern, const Request& request, std::size_t at,
                 std::vector<std::string_view>& parameters) {
  parameters.clear();
  while (!pattern.empty()) {
    if (at >= request.segments.size()) return false;
    const std::size_t slash = pattern.find('/');
    const std::string_view piece = pattern.substr(0, slash);
    pattern = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash + 1);
    const std::string& segment = request.segments[at++];
    if (piece == "{}") {
      parameters.push_back(segment);
    } else if (piece != segment) {
      return false;
    }
  }
  return at == request.segments.size();
}

bool HasShort(const Grant& grant, std::string_view scope) {
  if (scope == "mail") return grant.Has(kMailScope);
  return grant.Has(std::string(kScopePrefix).append(scope));
}

template <class Visitor>
bool AnyScope(std::string_view scopes, const Visitor& visit) {
  while (!scopes.empty()) {
    const std::size_t blank = scopes.find(' ');
    if (visit(scopes.substr(0, blank))) return true;
    scopes = blank == std::string_view::npos ? std::string_view() : scopes.substr(blank + 1);
  }
  return false;
}

}  // namespace

std::span<const Method> AllMethods() { return kMethods; }

MatchedMethod MatchMethod(const Request& request) {
  MatchedMethod matched;
  const auto& segments = request.segments;
  std::size_t at = 0;
  if (segments.size() > 1 && segments[0] == "resumable" && segments[1] == "upload") {
    at = 2;
  } else if (!segments.empty() && segments[0] == "upload") {
    at = 1;
  }
  matched.upload = at > 0;
  if (segments.size() < at + 4 || segments[at] != "gmail" || segments[at + 1] != "v1" || segments[at + 2] != "users") {
    return matched;
  }
  matched.user = segments[at + 3];
  // The later requests of a resumable upload are PUTs to the method's own path.
  const bool continues_upload = matched.upload && request.query.Find("upload_id") != nullptr;
  for (const Method& method : kMethods) {
    if (matched.upload && !method.upload) continue;
    if (!continues_upload && method.http_method != request.method) continue;
    if (continues_upload && method.http_method == "GET") continue;
    if (!PathMatches(method.path, request, at + 4, matched.parameters)) continue;
    matched.method = &method;
    return matched;
  }
  return matched;
}

bool Permits(const Method& method, const Grant& grant) {
  return AnyScope(method.scopes, [&](std::string_view scope) { return HasShort(grant, scope); });
}

bool MetadataOnly(const Grant& grant) {
  return HasShort(grant, "gmail.metadata") &&
         !AnyScope(kRead, [&](std::string_view scope) { return HasShort(grant, scope); });
}

}  // namespace latchkey::simulator
