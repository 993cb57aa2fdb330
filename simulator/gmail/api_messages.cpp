// messages.*: list, get, insert, import, send, modify, trash, delete and their batch forms, attachments.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "simulator/gmail/api.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/listing.hpp"
#include "simulator/gmail/render.hpp"

namespace latchkey::simulator {
namespace {

/// The most ids that batchModify and batchDelete take (GD: "at most 1000").
constexpr std::size_t kMaxBatchIds = 1'000;

std::expected<std::uint64_t, Response> MessageIdOf(std::string_view text) {
  const std::optional<std::uint64_t> id = ParseId(text);
  if (!id) return std::unexpected(InvalidArgument("Invalid id value"));
  return *id;
}

std::expected<const StoredMessage*, Response> FindMessage(Call& call) {
  const auto id = MessageIdOf(call.parameter(0));
  if (!id) return std::unexpected(id.error());
  const StoredMessage* message = call.mailbox().Find(*id);
  if (message == nullptr) return std::unexpected(NotFound());
  return message;
}

std::expected<std::vector<std::uint64_t>, Response> BatchIds(const boost::json::object& body) {
  std::vector<std::uint64_t> ids;
  for (const std::string& text : TextArray(body, "ids")) {
    const auto id = MessageIdOf(text);
    if (!id) return std::unexpected(id.error());
    ids.push_back(*id);
  }
  if (ids.empty()) return std::unexpected(InvalidArgument("No message ids specified."));
  if (ids.size() > kMaxBatchIds) {
    return std::unexpected(InvalidArgument(fmt::format("Too many message ids specified, max is {}.", kMaxBatchIds)));
  }
  return ids;
}

/// Both label lists of a modify request, or why they are refused.
struct LabelChange {
  LabelSet add;
  LabelSet remove;
};
std::expected<LabelChange, Response> ReadLabelChange(Call& call, const boost::json::object& body) {
  LabelChange change;
  auto add = SettableLabels(call.mailbox(), TextArray(body, "addLabelIds"));
  if (!add) return std::unexpected(std::move(add.error()));
  auto remove = SettableLabels(call.mailbox(), TextArray(body, "removeLabelIds"));
  if (!remove) return std::unexpected(std::move(remove.error()));
  change.add = std::move(*add);
  change.remove = std::move(*remove);
  return change;
}

Response IdsResponse(Call& call, const StoredMessage& message) {
  std::string body;
  JsonWriter json(body);
  RenderMessageIds(json, call.mailbox(), message);
  return JsonResponse(200, std::move(body));
}

}  // namespace

Response MessagesList(Call& call) {
  const auto listing = ReadListing(call);
  if (!listing) return listing.error();
  const Mailbox& mailbox = call.mailbox();
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  std::size_t count = 0;
  std::string next;
  if (listing->token.answer_empty) next = TokenAfterEmptyPage(listing->token.text);
  VisitNewestFirst(*listing, mailbox, [&](const StoredMessage& message) {
    if (listing->token.answer_empty) return false;
    if (count == listing->page_size) {
      next = PageTokenAfter(message);
      return false;
    }
    if (count++ == 0) json.Key("messages").BeginArray();
    json.BeginObject().Key("id").String(FormatId(message.id));
    json.Key("threadId").String(FormatId(mailbox.ThreadId(message))).EndObject();
    return true;
  });
  if (count > 0) json.EndArray();
  if (!next.empty()) json.Key("nextPageToken").String(next);
  json.Key("resultSizeEstimate").Number(SizeEstimate(count, !next.empty())).EndObject();
  return JsonResponse(200, std::move(body));
}

Response MessagesGet(Call& call) {
  const auto message = FindMessage(call);
  const std::optional<MessageFormat> format = ParseFormat(call.request.query.Get("format"));
  if (!format) {
    return InvalidArgument(fmt::format("Invalid value at 'format': \"{}\"", call.request.query.Get("format")));
  }
  if (const auto refused = RefuseFormat(call, *format)) return *refused;
  if (!message) return message.error();
  RenderOptions options;
  options.format = *format;
  options.metadata_headers = call.request.query.All("metadataHeaders");
  options.nonce = call.state.NextNonce();
  std::string body;
  body.reserve((*message)->size * 3 / 2 + 4096);
  JsonWriter json(body);
  RenderMessage(json, call.mailbox(), **message, options);
  return JsonResponse(200, std::move(body));
}

Response MessagesInsert(Call& call, bool import) {
  auto upload = ReadMessageBody(call);
  if (!upload) return std::move(upload.error());
  if (upload->raw.empty())
    return InvalidArgument(
        "'raw' RFC822 payload message string or uploading message via "
        "/upload/* URL required");
  const auto labels = LabelsById(call.mailbox(), TextArray(upload->metadata, "labelIds"));
  if (!labels) return labels.error();
  std::string_view source = call.request.query.Get("internalDateSource");
  if (source.empty()) source = import ? "dateHeader" : "receivedTime";
  const std::int64_t now = call.state.NowMilliseconds();
  const std::int64_t date = source == "dateHeader" ? DateOf(upload->raw, now).value_or(now) : now;
  const StoredMessage& message = call.mailbox().Add({.raw = upload->raw,
                                                     .labels = *labels,
                                                     .internal_date = date,
                                                     .thread_id = ParseId(TextMember(upload->metadata, "threadId"))});
  return IdsResponse(call, message);
}

Response MessagesSend(Call& call) {
  auto upload = ReadMessageBody(call);
  if (!upload) return std::move(upload.error());
  if (upload->raw.empty())
    return InvalidArgument(
        "'raw' RFC822 payload message string or uploading message via "
        "/upload/* URL required");
  return SendRaw(call, upload->raw, {.id = ParseId(TextMember(upload->metadata, "threadId"))});
}

Response MessagesModify(Call& call) {
  const auto message = FindMessage(call);
  if (!message) return message.error();
  const auto body = ReadJsonBody(call.request.body);
  if (!body) return body.error();
  const auto change = ReadLabelChange(call, *body);
  if (!change) return change.error();
  const std::uint64_t ids[] = {(*message)->id};
  call.mailbox().Modify(ids, change->add, change->remove);
  std::string out;
  JsonWriter json(out);
  RenderOptions options;
  options.format = MessageFormat::kMinimal;
  options.payload_in_minimal = false;
  RenderMessage(json, call.mailbox(), *call.mailbox().Find(ids[0]), options);
  return JsonResponse(200, std::move(out));
}

Response MessagesTrash(Call& call, bool trash) {
  const auto message = FindMessage(call);
  if (!message) return message.error();
  const std::uint64_t ids[] = {(*message)->id};
  if (trash) {
    call.mailbox().Trash(ids);
  } else {
    call.mailbox().Untrash(ids);
  }
  return IdsResponse(call, *call.mailbox().Find(ids[0]));
}

Response MessagesDelete(Call& call) {
  const auto message = FindMessage(call);
  if (!message) return message.error();
  const std::uint64_t ids[] = {(*message)->id};
  call.mailbox().Delete(ids);
  return NoContent();
}

Response MessagesBatchModify(Call& call) {
  const auto body = ReadJsonBody(call.request.body);
  if (!body) return body.error();
  const auto ids = BatchIds(*body);
  if (!ids) return ids.error();
  const auto change = ReadLabelChange(call, *body);
  if (!change) return change.error();
  call.mailbox().Modify(*ids, change->add, change->remove);
  return NoContent();
}

Response MessagesBatchDelete(Call& call) {
  const auto body = ReadJsonBody(call.request.body);
  if (!body) return body.error();
  const auto ids = BatchIds(*body);
  if (!ids) return ids.error();
  call.mailbox().Delete(*ids);  // "Provides no guarantees that messages were not already deleted" (GD).
  return NoContent();
}

Response AttachmentsGet(Call& call) {
  const auto message = FindMessage(call);
  if (!message) return message.error();
  const std::optional<std::string> bytes = ReadAttachment(call.mailbox(), **message, call.parameter(1));
  if (!bytes) return InvalidArgument("Invalid attachment token");
  std::string body;
  body.reserve(bytes->size() * 4 / 3 + 64);
  JsonWriter json(body);
  json.BeginObject().Key("size").Number(static_cast<std::int64_t>(bytes->size()));
  json.Key("data").Base64Url(*bytes, true).EndObject();
  return JsonResponse(200, std::move(body));
}

}  // namespace latchkey::simulator
