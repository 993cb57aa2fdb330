#include <algorithm>

#include <fmt/format.h>

#include "simulator/gmail/api.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/listing.hpp"
#include "simulator/gmail/render.hpp"

namespace latchkey::simulator {
namespace {

std::expected<std::vector<std::uint64_t>, Response> ThreadMessageIds(Call& call) {
  const std::optional<std::uint64_t> id = ParseId(call.parameter(0));
  if (!id) return std::unexpected(InvalidArgument("Invalid id value"));
  std::vector<std::uint64_t> ids;
  for (const StoredMessage* message : call.mailbox().Thread(*id)) ids.push_back(message->id);
  if (ids.empty()) return std::unexpected(NotFound());
  return ids;
}

std::uint64_t LatestHistoryId(const std::vector<const StoredMessage*>& messages) {
  std::uint64_t latest = 0;
  for (const StoredMessage* message : messages) latest = std::max(latest, message->history_id);
  return latest;
}

Response ThreadResponse(Call& call, RenderOptions options) {
  const std::uint64_t id = *ParseId(call.parameter(0));
  const std::vector<const StoredMessage*> messages = call.mailbox().Thread(id);
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("id").String(FormatId(id));
  json.Key("historyId").QuotedNumber(LatestHistoryId(messages)).Key("messages").BeginArray();
  for (const StoredMessage* message : messages) {
    options.nonce = call.state.NextNonce();
    RenderMessage(json, call.mailbox(), *message, options);
  }
  json.EndArray().EndObject();
  return JsonResponse(200, std::move(body));
}

}  // namespace

Response ThreadsList(Call& call) {
  const auto listing = ReadListing(call);
  if (!listing) return listing.error();
  const Mailbox& mailbox = call.mailbox();
  ListingFilter filter(*listing, mailbox);
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  std::size_t count = 0;
  std::string next;
  if (listing->token.answer_empty) next = TokenAfterEmptyPage(listing->token.text);
  VisitNewestFirst(*listing, mailbox, [&](const StoredMessage& message) {
    if (listing->token.answer_empty) return false;
    const std::uint64_t thread_id = mailbox.ThreadId(message);
    const std::vector<const StoredMessage*> thread = mailbox.Thread(thread_id);
    // A thread stands where its newest matching message stands.
    const auto newest = std::find_if(thread.rbegin(), thread.rend(),
                                     [&](const StoredMessage* candidate) { return filter.Matches(*candidate); });
    if (newest == thread.rend() || (*newest)->id != message.id) return true;
    if (count == listing->page_size) {
      next = PageTokenAfter(message);
      return false;
    }
    if (count++ == 0) json.Key("threads").BeginArray();
    json.BeginObject().Key("id").String(FormatId(thread_id));
    json.Key("snippet").String(Snippet(mailbox.Raw(*thread.back())));
    json.Key("historyId").QuotedNumber(LatestHistoryId(thread)).EndObject();
    return true;
  });
  if (count > 0) json.EndArray();
  if (!next.empty()) json.Key("nextPageToken").String(next);
  json.Key("resultSizeEstimate").Number(SizeEstimate(count, !next.empty())).EndObject();
  return JsonResponse(200, std::move(body));
}

Response ThreadsGet(Call& call) {
  const std::optional<MessageFormat> format = ParseFormat(call.request.query.Get("format"));
  // Threads have no raw format (GD).
  if (!format || *format == MessageFormat::kRaw) {
    return InvalidArgument(fmt::format("Invalid value at 'format': \"{}\"", call.request.query.Get("format")));
  }
  if (const auto refused = RefuseFormat(call, *format)) return *refused;
  const auto ids = ThreadMessageIds(call);
  if (!ids) return ids.error();
  RenderOptions options;
  options.format = *format;
  options.metadata_headers = call.request.query.All("metadataHeaders");
  return ThreadResponse(call, options);
}

Response ThreadsModify(Call& call) {
  const auto ids = ThreadMessageIds(call);
  if (!ids) return ids.error();
  const auto body = ReadJsonBody(call.request.body);
  if (!body) return body.error();
  const auto add = SettableLabels(call.mailbox(), TextArray(*body, "addLabelIds"));
  if (!add) return add.error();
  const auto remove = SettableLabels(call.mailbox(), TextArray(*body, "removeLabelIds"));
  if (!remove) return remove.error();
  call.mailbox().Modify(*ids, *add, *remove);
  RenderOptions options;
  options.format = MessageFormat::kMinimal;
  options.payload_in_minimal = false;
  return ThreadResponse(call, options);
}

Response ThreadsTrash(Call& call, bool trash) {
  const auto ids = ThreadMessageIds(call);
  if (!ids) return ids.error();
  if (trash) {
    call.mailbox().Trash(*ids);
  } else {
    call.mailbox().Untrash(*ids);
  }
  RenderOptions options;
  options.format = MessageFormat::kMinimal;
  options.payload_in_minimal = false;
  return ThreadResponse(call, options);
}

Response ThreadsDelete(Call& call) {
  const auto ids = ThreadMessageIds(call);
  if (!ids) return ids.error();
  call.mailbox().Delete(*ids);
  return NoContent();
}

}  // namespace latchkey::simulator
