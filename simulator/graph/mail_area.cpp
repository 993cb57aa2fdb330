#include "simulator/graph/mail_area.hpp"

#include "simulator/graph/mail_upload.hpp"
#include "simulator/mailbox/threading.hpp"

namespace latchkey::simulator::graph {
namespace {

const std::vector<std::string> kRead = {"Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic"};
const std::vector<std::string> kReadAll = {"Mail.Read", "Mail.ReadWrite"};
const std::vector<std::string> kWrite = {"Mail.ReadWrite"};
const std::vector<std::string> kSend = {"Mail.Send"};

}  // namespace

Box& MailState::BoxOf(const Account& account) {
  auto& box = boxes[account.microsoft.oid];
  if (!box) {
    box = std::make_unique<Box>(spool, HashText(account.microsoft.oid) ^ (settings.seed * 0x9E3779B97F4A7C15ULL),
                                static_cast<std::uint64_t>(ToMicros(clock.Now())));
    box->store.OnChange([this, &account, store = &box->store](std::uint32_t slot, FolderIndex folder, ChangeKind kind) {
      if (!listener) return;
      const Item& item = store->at(slot);
      ItemChange change;
      change.collection = "messages";
      change.container = store->FolderId(folder);
      change.type = kind == ChangeKind::kAdded ? "created" : kind == ChangeKind::kUpdated ? "updated" : "deleted";
      change.odata_type = "#Microsoft.Graph.Message";
      change.id = store->Id(item, false);
      change.immutable_id = store->Id(item, true);
      change.etag = "W/\"" + store->ChangeKey(item) + "\"";
      listener->Changed(account, change);
    });
  }
  return *box;
}

MailArea::MailArea(const Clock& clock, const AccountRegistry& accounts, const Settings& settings, Schedule& schedule)
    : state_(clock, accounts, settings, schedule), seed_(settings.seed) {}

Response MailArea::Upload(Request& request) {
  Canonicalise(request, nullptr);
  const std::string id = NewGuid();
  Response response = HandleUpload(state_, request);
  Finish(response, id, id);
  return response;
}

std::string MailArea::FolderId(const Account& account, const std::string& id_or_name) {
  MailStore& store = state_.BoxOf(account).store;
  const auto folder = store.FindFolder(id_or_name);
  return folder ? store.FolderId(*folder) : std::string();
}

void MailArea::AddRoutes(Router& router) {
  using Action = std::function<Response(const MailCall&)>;
  const auto add = [&](std::string method, std::string path, const std::vector<std::string>& scopes, Action action) {
    router.Add({std::move(method), std::move(path), scopes, [this, action = std::move(action)](Call& call) {
                  const MailCall mail{state_, call, state_.BoxOf(call.account)};
                  return action(mail);
                }});
  };
  // A message is reached directly and through its folder.
  using OnMessage = std::function<Response(const MailCall&, const std::string& id)>;
  const auto message = [&](const std::string& method, const std::string& rest, const std::vector<std::string>& scopes,
                           const OnMessage& action) {
    add(method, "/me/messages/{}" + rest, scopes,
        [action](const MailCall& mail) { return action(mail, mail.call.parameter(0)); });
    add(method, "/me/mailFolders/{}/messages/{}" + rest, scopes, [action](const MailCall& mail) {
      if (const auto folder = FindFolder(mail, mail.call.parameter(0)); !folder) return folder.error();
      return action(mail, mail.call.parameter(1));
    });
  };
  const auto in_folder = [&](const std::string& method, const std::string& rest, const std::vector<std::string>& scopes,
                             std::function<Response(const MailCall&, FolderIndex)> action) {
    add(method, "/me/mailFolders/{}" + rest, scopes, [action = std::move(action)](const MailCall& mail) {
      const auto folder = FindFolder(mail, mail.call.parameter(0));
      return folder ? action(mail, *folder) : folder.error();
    });
  };

  add("GET", "/me/messages", kRead, [](const MailCall& mail) { return ListMessages(mail, std::nullopt); });
  add("GET", "/me/messages/$count", kRead, [](const MailCall& mail) { return CountMessages(mail, std::nullopt); });
  add("GET", "/me/messages/delta", kRead, [](const MailCall& mail) {
    return BadRequest("Change tracking is not supported against 'microsoft.graph.message'.", mail.now());
  });
  add("POST", "/me/messages", kWrite, [](const MailCall& mail) { return CreateDraft(mail, MailStore::kDrafts); });
  in_folder("GET", "/messages", kRead,
            [](const MailCall& mail, FolderIndex folder) { return ListMessages(mail, folder); });
  in_folder("GET", "/messages/$count", kRead,
            [](const MailCall& mail, FolderIndex folder) { return CountMessages(mail, folder); });
  in_folder("POST", "/messages", kWrite,
            [](const MailCall& mail, FolderIndex folder) { return CreateDraft(mail, folder); });
  add("GET", "/me/mailFolders/{}/messages/delta", kRead,
      [](const MailCall& mail) { return MessagesDelta(mail, mail.call.parameter(0)); });

  message("GET", "", kRead, &GetMessage);
  message("PATCH", "", kWrite, &PatchMessage);
  message("DELETE", "", kWrite,
          [](const MailCall& mail, const std::string& id) { return DeleteMessage(mail, id, false); });
  message("POST", "/permanentDelete", kWrite,
          [](const MailCall& mail, const std::string& id) { return DeleteMessage(mail, id, true); });
  message("GET", "/$value", kReadAll, &GetMime);
  message("POST", "/move", kWrite,
          [](const MailCall& mail, const std::string& id) { return MoveMessage(mail, id, false); });
  message("POST", "/copy", kWrite,
          [](const MailCall& mail, const std::string& id) { return MoveMessage(mail, id, true); });
  message("POST", "/send", kSend, &SendDraft);
  constexpr std::pair<const char*, ReplyKind> kReplies[] = {
      {"Reply", ReplyKind::kReply}, {"ReplyAll", ReplyKind::kReplyAll}, {"Forward", ReplyKind::kForward}};
  for (const auto& [name, kind] : kReplies) {
    message("POST", std::string("/create") + name, kWrite,
            [kind](const MailCall& mail, const std::string& id) { return Reply(mail, id, kind, false); });
    message("POST", std::string("/") + name, kSend,
            [kind](const MailCall& mail, const std::string& id) { return Reply(mail, id, kind, true); });
  }
  message("GET", "/attachments", kReadAll, &ListAttachments);
  message("POST", "/attachments", kWrite, &AddAttachment);
  message("POST", "/attachments/createUploadSession", kWrite, &CreateUploadSession);
  for (const bool value : {false, true}) {
    add("GET", std::string("/me/messages/{}/attachments/{}") + (value ? "/$value" : ""), kReadAll,
        [value](const MailCall& mail) {
          return GetAttachment(mail, mail.call.parameter(0), mail.call.parameter(1), value);
        });
  }
  add("DELETE", "/me/messages/{}/attachments/{}", kWrite,
      [](const MailCall& mail) { return DeleteAttachment(mail, mail.call.parameter(0), mail.call.parameter(1)); });
  add("POST", "/me/sendMail", kSend, &SendMail);
  add("POST", "/me/translateExchangeIds", {}, &TranslateIds);

  add("GET", "/me/mailFolders", kRead,
      [](const MailCall& mail) { return ListFolders(mail, MailStore::kRoot, "mailFolders"); });
  add("POST", "/me/mailFolders", kWrite,
      [](const MailCall& mail) { return graph::CreateFolder(mail, MailStore::kRoot); });
  add("GET", "/me/mailFolders/delta", kRead, &FoldersDelta);
  add("GET", "/me/mailFolders/{}", kRead, [](const MailCall& mail) { return GetFolder(mail, mail.call.parameter(0)); });
  add("PATCH", "/me/mailFolders/{}", kWrite,
      [](const MailCall& mail) { return PatchFolder(mail, mail.call.parameter(0)); });
  add("DELETE", "/me/mailFolders/{}", kWrite,
      [](const MailCall& mail) { return graph::DeleteFolder(mail, mail.call.parameter(0), false); });
  add("POST", "/me/mailFolders/{}/permanentDelete", kWrite,
      [](const MailCall& mail) { return graph::DeleteFolder(mail, mail.call.parameter(0), true); });
  add("POST", "/me/mailFolders/{}/move", kWrite,
      [](const MailCall& mail) { return MoveFolder(mail, mail.call.parameter(0)); });
  in_folder("GET", "/childFolders", kRead, [](const MailCall& mail, FolderIndex folder) {
    return ListFolders(mail, folder, "mailFolders('" + mail.call.parameter(0) + "')/childFolders");
  });
  in_folder("POST", "/childFolders", kWrite,
            [](const MailCall& mail, FolderIndex folder) { return graph::CreateFolder(mail, folder); });
}

}  // namespace latchkey::simulator::graph
