// Attachments: reading, adding, and large ones in chunks.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "simulator/graph/mail_state.hpp"
#include "simulator/graph/mail_upload.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

/// A single POST takes less than 3 MB, an upload session up to 150 MB in chunks of at most 4 MB.
constexpr std::uint64_t kMostDirect = 3u << 20;
constexpr std::uint64_t kMostUploaded = 150u << 20;
constexpr std::uint64_t kMostChunk = 4u << 20;
constexpr std::size_t kMaxUploads = 20;
constexpr std::chrono::hours kUploadLife{24};

std::vector<MailAttachment> AttachmentsOf(const MailCall& mail, std::uint32_t slot) {
  const std::string raw = mail.store().Raw(mail.store().at(slot));
  return ReadAttachments(mime::Message::Parse(raw));
}

std::string MessageContext(const MailCall& mail, const std::string& id, std::string_view rest) {
  return mail.call.Context(fmt::format("messages('{}')/attachments{}", PercentEncode(id), rest));
}

void Attach(MailState& state, Box& box, std::uint32_t slot, MailAttachment attachment) {
  MailDraft draft = MailDraft::FromRaw(box.store.Raw(box.store.at(slot)));
  draft.attachments.push_back(std::move(attachment));
  MailStore::Patch patch;
  patch.raw = draft.ToRaw();
  box.store.Update(slot, std::move(patch), state.NowMilliseconds());
}

std::expected<std::uint32_t, Response> FindDraft(const MailCall& mail, const std::string& id) {
  auto slot = FindMessage(mail, id);
  if (slot && !mail.store().at(*slot).draft) {
    return std::unexpected(
        BadRequest("The operation is only supported on a draft message.", mail.now(), "ErrorInvalidRequest"));
  }
  return slot;
}

/// "bytes 0-2097151/3483322"
bool ParseRange(std::string_view text, std::uint64_t& first, std::uint64_t& last, std::uint64_t& total) {
  if (!text.starts_with("bytes ")) return false;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return false;
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
  };
  return number(text.substr(0, dash), first) && number(text.substr(dash + 1, slash - dash - 1), last) &&
         number(text.substr(slash + 1), total) && first <= last && last < total;
}

Response UploadState(const UploadSession& session, int status) {
  boost::json::object body;
  body["@odata.context"] =
      "https://outlook.office.com/api/v2.0/$metadata#Users('me')/Messages('id')/AttachmentSessions/$entity";
  body["ExpirationDateTime"] = FormatInstant(session.expires);
  body["NextExpectedRanges"] = boost::json::array({std::to_string(session.attachment.bytes.size())});
  return Json(status, body);
}

}  // namespace

Response ListAttachments(const MailCall& mail, const std::string& id) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  const auto query = QueryOptions::Parse(mail.call.request.query, 1000);
  if (!query) return BadRequest(query.error(), mail.now());
  const Item& item = mail.store().at(*slot);
  const std::string shown = mail.store().Id(item, mail.call.immutable_ids());
  std::string selected;
  for (const std::string& name : query->select) selected += (selected.empty() ? "" : ",") + name;
  boost::json::array value;
  for (const MailAttachment& attachment : AttachmentsOf(mail, *slot)) {
    const bool content = query->select.empty() || query->Selects("contentBytes");
    value.push_back(Project(RenderAttachment(shown, attachment, item, content), query->select));
  }
  boost::json::object answer;
  answer["@odata.context"] = MessageContext(mail, shown, selected.empty() ? "" : "(" + selected + ")");
  if (query->count) answer["@odata.count"] = value.size();
  answer["value"] = std::move(value);
  return Json(200, answer);
}

Response GetAttachment(const MailCall& mail, const std::string& id, const std::string& attachment_id, bool value) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  const Item& item = mail.store().at(*slot);
  const std::string shown = mail.store().Id(item, mail.call.immutable_ids());
  for (const MailAttachment& attachment : AttachmentsOf(mail, *slot)) {
    // Known under both forms of the message's id.
    if (attachment_id != AttachmentId(mail.store().Id(item, true), attachment) &&
        attachment_id != AttachmentId(mail.store().Id(item, false), attachment)) {
      continue;
    }
    if (value) {
      Response response;
      response.headers.Add("Content-Type", attachment.is_message ? "text/plain" : attachment.type);
      response.body = attachment.bytes;
      return response;
    }
    const auto query = QueryOptions::Parse(mail.call.request.query, 1000);
    if (!query) return BadRequest(query.error(), mail.now());
    boost::json::object answer;
    answer["@odata.context"] = MessageContext(mail, shown, "/$entity");
    for (auto& member : Project(RenderAttachment(shown, attachment, item, true), query->select)) {
      answer[member.key()] = std::move(member.value());
    }
    return Json(200, answer);
  }
  return ItemNotFound(mail.now());
}

Response AddAttachment(const MailCall& mail, const std::string& id) {
  if (auto refused = RefuseLargeBody(mail)) return std::move(*refused);
  const auto slot = FindDraft(mail, id);
  if (!slot) return slot.error();
  const auto body = mail.call.Body();
  if (!body) return body.error();
  auto attachment = ParseAttachment(*body, mail.now());
  if (!attachment) return attachment.error();
  if (attachment->bytes.size() >= kMostDirect) {
    return *MakePayload("graph.error.ErrorMessageSizeExceeded.413", mail.now());
  }
  Attach(mail.state, mail.box, *slot, std::move(*attachment));
  const Item& item = mail.store().at(*slot);
  const std::string shown = mail.store().Id(item, mail.call.immutable_ids());
  // Inline ones stand before the others in the message, so the new one is not always the last.
  const std::vector<MailAttachment> all = AttachmentsOf(mail, *slot);
  const std::string name = std::string(body->at("name").as_string());
  const auto added =
      std::ranges::find_if(all.rbegin(), all.rend(), [&](const MailAttachment& entry) { return entry.name == name; });
  boost::json::object answer;
  answer["@odata.context"] = MessageContext(mail, shown, "/$entity");
  if (added != all.rend()) {
    for (auto& member : RenderAttachment(shown, *added, item, true)) answer[member.key()] = std::move(member.value());
  }
  return Json(201, answer);
}

Response DeleteAttachment(const MailCall& mail, const std::string& id, const std::string& attachment_id) {
  const auto slot = FindDraft(mail, id);
  if (!slot) return slot.error();
  const Item& item = mail.store().at(*slot);
  MailDraft draft = MailDraft::FromRaw(mail.store().Raw(item));
  const std::size_t gone = std::erase_if(draft.attachments, [&](const MailAttachment& attachment) {
    return attachment_id == AttachmentId(mail.store().Id(item, true), attachment) ||
           attachment_id == AttachmentId(mail.store().Id(item, false), attachment);
  });
  if (gone == 0) return ItemNotFound(mail.now());
  MailStore::Patch patch;
  patch.raw = draft.ToRaw();
  mail.store().Update(*slot, std::move(patch), mail.now_milliseconds());
  return Response{.status = 204};
}

Response CreateUploadSession(const MailCall& mail, const std::string& id) {
  const auto slot = FindDraft(mail, id);
  if (!slot) return slot.error();
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const auto* item = body->if_contains("AttachmentItem");
  if (!item) item = body->if_contains("attachmentItem");
  const auto bad = [&](std::string_view sentence) { return BadRequest(sentence, mail.now(), "ErrorInvalidParameter"); };
  if (!item || !item->is_object()) return bad("The parameter AttachmentItem is missing.");
  const boost::json::object& given = item->as_object();
  const auto text = [&](std::string_view name) {
    const auto* value = given.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  const auto* size = given.if_contains("size");
  if (!mime::EqualsNoCase(text("attachmentType"), "file")) return bad("attachmentType must be file.");
  if (text("name").empty() || !size || !size->is_number()) return bad("AttachmentItem needs name and size.");
  boost::system::error_code error;
  const auto bytes = size->to_number<std::uint64_t>(error);
  if (error || bytes == 0) return bad("AttachmentItem needs a size of at least 1.");
  if (bytes > kMostUploaded) return *MakePayload("graph.error.ErrorMessageSizeExceeded.413", mail.now());
  std::erase_if(mail.box.uploads, [&](const auto& entry) { return entry.second.expires <= mail.now(); });
  if (mail.box.uploads.size() >= kMaxUploads) {
    return *MakePayload("graph.error.ApplicationThrottled.429", mail.now());
  }
  UploadSession session;
  session.token = RandomToken(48);
  session.message_key = mail.store().at(*slot).key;
  session.size = bytes;
  session.expires = mail.now() + kUploadLife;
  session.attachment.name = text("name");
  if (!text("contentType").empty()) session.attachment.type = mime::Lower(text("contentType"));
  session.attachment.content_id = text("contentId");
  const auto* is_inline = given.if_contains("isInline");
  session.attachment.is_inline = is_inline && is_inline->is_bool() && is_inline->as_bool();
  const std::string session_id = RandomToken(24);
  const Account& account = mail.call.account;
  boost::json::object answer;
  answer["@odata.context"] = mail.call.base() + "/$metadata#microsoft.graph.uploadSession";
  answer["uploadUrl"] = fmt::format("{}/api/v2.0/Users('{}@{}')/Messages('{}')/AttachmentSessions('{}')?authtoken={}",
                                    mail.call.request.Base(), account.microsoft.oid, account.microsoft.tid,
                                    mail.store().Id(mail.store().at(*slot), true), session_id, session.token);
  answer["expirationDateTime"] = FormatInstant(session.expires);
  answer["nextExpectedRanges"] = boost::json::array({"0-"});
  mail.box.uploads.emplace(session_id, std::move(session));
  return Json(201, answer);
}

Response HandleUpload(MailState& state, Request& request) {
  const Instant now = state.clock.Now();
  // The URL is the permission: a token for Graph is one for another audience.
  if (request.headers.Find("Authorization")) {
    return *MakePayload("graph.error.InvalidAuthenticationToken.audience.401", now);
  }
  Box* box = nullptr;
  std::map<std::string, UploadSession>::iterator found;
  const std::string& id = request.segments.empty() ? request.path : request.segments.back();
  for (const auto& [oid, candidate] : state.boxes) {
    found = candidate->uploads.find(id);
    if (found == candidate->uploads.end()) continue;
    box = candidate.get();
    break;
  }
  if (!box || request.query.Get("authtoken") != found->second.token || found->second.expires <= now) {
    return ItemNotFound(now);
  }
  UploadSession& session = found->second;
  if (request.method == "GET") return UploadState(session, 200);
  if (request.method == "DELETE") {
    box->uploads.erase(found);
    return Response{.status = 204};
  }
  if (request.method != "PUT") return Error(405, "ErrorInvalidRequest", "Use PUT, GET or DELETE.", now);
  std::uint64_t first = 0, last = 0, total = 0;
  if (!ParseRange(request.headers.Get("Content-Range"), first, last, total) || total != session.size ||
      last - first + 1 != request.body.size()) {
    return BadRequest("The Content-Range header is missing or malformed.", now, "ErrorInvalidContentRange");
  }
  if (request.body.size() > kMostChunk) return *MakePayload("graph.error.ErrorMessageSizeExceeded.413", now);
  if (first != session.attachment.bytes.size()) {
    return Error(416, "ErrorInvalidContentRange", "The uploaded fragment is not the next expected one.", now);
  }
  session.attachment.bytes += request.body;
  if (session.attachment.bytes.size() < session.size) return UploadState(session, 200);
  bool malformed = false;
  const auto slot = box->store.Find(box->store.ImmutableId(session.message_key), malformed);
  if (!slot || !box->store.at(*slot).draft) {
    box->uploads.erase(found);
    return ItemNotFound(now);
  }
  const std::string name = session.attachment.name;
  Attach(state, *box, *slot, std::move(session.attachment));
  box->uploads.erase(found);
  const Item& item = box->store.at(*slot);
  Response response;
  response.status = 201;
  for (const MailAttachment& attachment : ReadAttachments(mime::Message::Parse(box->store.Raw(item)))) {
    if (attachment.name != name) continue;
    const std::string message = box->store.Id(item, true);
    response.headers.Set("Location", fmt::format("{}/api/v2.0/Users('me')/Messages('{}')/Attachments('{}')",
                                                 request.Base(), message, AttachmentId(message, attachment)));
  }
  return response;
}

}  // namespace latchkey::simulator::graph
