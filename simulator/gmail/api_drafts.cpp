#include "simulator/gmail/api.hpp"
#include "simulator/gmail/compose.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/render.hpp"

namespace latchkey::simulator {
namespace {

/// The draft's message, or nullptr when it was deleted in some other way.
const StoredMessage* MessageOf(Call& call, const std::string& id) {
  const auto draft = call.box.drafts.find(id);
  return draft == call.box.drafts.end() ? nullptr : call.mailbox().Find(draft->second);
}

Response DraftResponse(Call& call, const std::string& id, const StoredMessage& message) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("id").String(id).Key("message");
  RenderMessageIds(json, call.mailbox(), message);
  json.EndObject();
  return JsonResponse(200, std::move(body));
}

std::optional<std::uint64_t> ThreadOf(const boost::json::object& resource) {
  const boost::json::value* message = resource.if_contains("message");
  if (message == nullptr || !message->is_object()) return std::nullopt;
  return ParseId(TextMember(message->as_object(), "threadId"));
}

}  // namespace

Response DraftsList(Call& call) {
  constexpr std::size_t kUsualPage = 100;
  constexpr std::size_t kLargestPage = 500;
  const std::optional<std::size_t> page = PageSize(call.request, kUsualPage, kLargestPage);
  if (!page) return InvalidArgument("Invalid value for maxResults");
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  std::size_t count = 0;
  std::string next;
  const std::string token(call.request.query.Get("pageToken"));
  for (auto draft = call.box.drafts.lower_bound(token); draft != call.box.drafts.end(); ++draft) {
    const StoredMessage* message = call.mailbox().Find(draft->second);
    if (message == nullptr) continue;
    if (count == *page) {
      next = draft->first;
      break;
    }
    if (count++ == 0) json.Key("drafts").BeginArray();
    json.BeginObject().Key("id").String(draft->first).Key("message").BeginObject();
    json.Key("id").String(FormatId(message->id));
    json.Key("threadId").String(FormatId(call.mailbox().ThreadId(*message))).EndObject().EndObject();
  }
  if (count > 0) json.EndArray();
  if (!next.empty()) json.Key("nextPageToken").String(next);
  json.Key("resultSizeEstimate").Number(static_cast<std::int64_t>(count)).EndObject();
  return JsonResponse(200, std::move(body));
}

Response DraftsGet(Call& call) {
  const std::string id(call.parameter(0));
  const std::optional<MessageFormat> format = ParseFormat(call.request.query.Get("format"));
  if (!format) return InvalidArgument("Invalid value at 'format'");
  const StoredMessage* message = MessageOf(call, id);
  if (message == nullptr) return NotFound();
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("id").String(id).Key("message");
  RenderOptions options;
  options.format = *format;
  options.nonce = call.state.NextNonce();
  RenderMessage(json, call.mailbox(), *message, options);
  json.EndObject();
  return JsonResponse(200, std::move(body));
}

Response DraftsSave(Call& call, std::string_view id) {
  const bool replaces = !id.empty();
  std::string draft_id(id);
  const StoredMessage* old = replaces ? MessageOf(call, draft_id) : nullptr;
  if (replaces && old == nullptr) return NotFound();
  auto upload = ReadMessageBody(call);
  if (!upload) return std::move(upload.error());
  if (upload->raw.empty()) return InvalidArgument("Missing draft message");
  std::optional<std::uint64_t> thread = ThreadOf(upload->metadata);
  const bool stays = old != nullptr && !thread;
  if (stays) thread = call.mailbox().ThreadId(*old);
  const std::string raw =
      PrepareDraft(upload->raw, *call.grant.account, call.state.clock.Now(), call.state.NextNonce());
  // The message of a draft is a new one with each update; the draft's id stays.
  const std::uint64_t old_id = old == nullptr ? 0 : old->id;
  const std::uint64_t new_id = call.mailbox()
                                   .Add({.raw = raw,
                                         .labels = {LabelTable::kDraft},
                                         .internal_date = call.state.NowMilliseconds(),
                                         .thread_id = thread,
                                         .composed = !stays})
                                   .id;
  if (old_id != 0) {
    const std::uint64_t ids[] = {old_id};
    call.mailbox().Delete(ids);
  }
  if (!replaces) draft_id = call.state.NewDraftId();
  call.box.drafts[draft_id] = new_id;
  return DraftResponse(call, draft_id, *call.mailbox().Find(new_id));
}

Response DraftsDelete(Call& call) {
  const std::string id(call.parameter(0));
  const StoredMessage* message = MessageOf(call, id);
  if (message == nullptr) return NotFound();
  const std::uint64_t ids[] = {message->id};
  call.mailbox().Delete(ids);
  call.box.drafts.erase(id);
  return NoContent();
}

Response DraftsSend(Call& call) {
  auto upload = ReadMessageBody(call);
  if (!upload) return std::move(upload.error());
  const std::string id = TextMember(upload->metadata, "id");
  const StoredMessage* message = MessageOf(call, id);
  if (message == nullptr) return NotFound();
  const std::string raw = upload->raw.empty() ? call.mailbox().Raw(*message) : upload->raw;
  const std::uint64_t ids[] = {message->id};
  const std::uint64_t thread = call.mailbox().ThreadId(*message);
  Response response = SendRaw(call, raw, {.id = thread, .settled = true});
  if (response.status == 200) {
    call.mailbox().Delete(ids);
    call.box.drafts.erase(id);
  }
  return response;
}

}  // namespace latchkey::simulator
