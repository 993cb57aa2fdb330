// Reading and changing messages that exist.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/mail_state.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::string_view kBasicsHide[] = {"body", "bodyPreview", "uniqueBody", "attachments"};
constexpr std::size_t kMaxTranslated = 1'000;

/// nullopt: no conflict, or the client did not ask.
std::optional<Response> CheckIfMatch(const MailCall& mail, const Item& item) {
  const std::string* wanted = mail.call.request.headers.Find("If-Match");
  if (!wanted || *wanted == "*" || *wanted == fmt::format("W/\"{}\"", mail.store().ChangeKey(item)))
    return std::nullopt;
  Response conflict = *MakePayload("graph.error.ErrorIrresolvableConflict.409", mail.now());
  conflict.status = 412;
  return conflict;
}

/// Reads the members of a PATCH that any message takes. The error is Graph's.
std::expected<MailStore::Patch, Response> ReadPatch(const boost::json::object& body, Instant now) {
  MailStore::Patch patch;
  const auto bad = [&](std::string_view name) {
    return std::unexpected(BadRequest(
        fmt::format("Property {} in payload has a value that does not match schema.", name), now, "RequestBodyRead"));
  };
  if (const auto* value = body.if_contains("isRead")) {
    if (!value->is_bool()) return bad("isRead");
    patch.read = value->as_bool();
  }
  if (const auto* value = body.if_contains("categories")) {
    if (!value->is_array()) return bad("categories");
    std::vector<std::string> categories;
    for (const boost::json::value& name : value->as_array()) {
      if (!name.is_string()) return bad("categories");
      categories.emplace_back(name.as_string());
    }
    patch.categories = std::move(categories);
  }
  if (const auto* value = body.if_contains("importance")) {
    const std::string text = value->is_string() ? mime::Lower(std::string_view(value->as_string())) : "";
    if (text != "low" && text != "normal" && text != "high") return bad("importance");
    patch.importance = text == "low" ? Importance::kLow : text == "high" ? Importance::kHigh : Importance::kNormal;
  }
  if (const auto* value = body.if_contains("flag")) {
    const auto* object = value->if_object();
    const auto* status = object ? object->if_contains("flagStatus") : nullptr;
    const std::string text = status && status->is_string() ? std::string(status->as_string()) : "";
    if (text != "flagged" && text != "notFlagged" && text != "complete") return bad("flag");
    patch.flag = text == "flagged"    ? FlagStatus::kFlagged
                 : text == "complete" ? FlagStatus::kComplete
                                      : FlagStatus::kNotFlagged;
  }
  return patch;
}

}  // namespace

std::expected<std::uint32_t, Response> FindMessage(const MailCall& mail, const std::string& id) {
  bool malformed = false;
  const auto slot = mail.store().Find(id, malformed);
  if (slot) return *slot;
  return std::unexpected(malformed ? IdMalformed(mail.now()) : ItemNotFound(mail.now()));
}

RenderOptions OptionsOf(const MailCall& mail, const QueryOptions& query) {
  RenderOptions options;
  options.immutable_ids = mail.call.immutable_ids();
  options.text_body = mail.call.wants_text_body();
  options.html_body = EqualsIgnoreCase(mail.call.Preference("outlook.body-content-type").value_or(""), "html");
  options.unsafe_html = mail.call.Preference("outlook.allow-unsafe-html").has_value();
  options.headers = query.Selects("internetMessageHeaders");
  options.unique_body = query.Selects("uniqueBody");
  options.attachments =
      std::ranges::any_of(query.expand, [](const std::string& name) { return EqualsIgnoreCase(name, "attachments"); });
  return options;
}

void KeepBasics(boost::json::object& message) {
  for (const std::string_view name : kBasicsHide) message.erase(name);
}

boost::json::object Shaped(const MailCall& mail, std::uint32_t slot, const QueryOptions& query) {
  const RenderOptions options = OptionsOf(mail, query);
  boost::json::object message = RenderMessage(mail.store(), mail.store().at(slot), options);
  boost::json::value attachments;
  if (options.attachments) attachments = message["attachments"];
  message = Project(std::move(message), query.select);
  if (options.attachments) {
    for (auto& attachment : attachments.as_array()) {
      attachment = Project(std::move(attachment.as_object()), query.expand_select);
    }
    message["attachments"] = std::move(attachments);
  }
  if (mail.basic_only()) KeepBasics(message);
  return message;
}

Response MessageAnswer(const MailCall& mail, std::uint32_t slot, int status, const QueryOptions& query) {
  boost::json::object body;
  body["@odata.context"] = mail.call.Context("messages/$entity");
  for (auto& member : Shaped(mail, slot, query)) body[member.key()] = std::move(member.value());
  Response response = Json(status, body);
  response.headers.Add("ETag", fmt::format("W/\"{}\"", mail.store().ChangeKey(mail.store().at(slot))));
  return response;
}

Response GetMessage(const MailCall& mail, const std::string& id) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  const auto query = QueryOptions::Parse(mail.call.request.query, 1000);
  if (!query) return BadRequest(query.error(), mail.now());
  return MessageAnswer(mail, *slot, 200, *query);
}

Response GetMime(const MailCall& mail, const std::string& id) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  return TextResponse(200, mail.store().Raw(mail.store().at(*slot)));
}

Response PatchMessage(const MailCall& mail, const std::string& id) {
  if (auto refused = RefuseLargeBody(mail)) return std::move(*refused);
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  const Item& item = mail.store().at(*slot);
  if (auto conflict = CheckIfMatch(mail, item)) return std::move(*conflict);
  const auto body = mail.call.Body();
  if (!body) return body.error();
  auto patch = ReadPatch(*body, mail.now());
  if (!patch) return patch.error();
  constexpr std::string_view kContent[] = {
      "subject", "body",   "toRecipients",      "ccRecipients",           "bccRecipients",         "replyTo",
      "from",    "sender", "internetMessageId", "internetMessageHeaders", "isReadReceiptRequested"};
  const bool content = std::ranges::any_of(kContent, [&](std::string_view name) { return body->contains(name); });
  if (content && !item.draft) {
    return BadRequest("Set action is invalid for property.", mail.now(), "ErrorInvalidPropertySet");
  }
  if (content || (item.draft && patch->importance)) {
    MailDraft draft = MailDraft::FromRaw(mail.store().Raw(item));
    boost::json::object writable = *body;
    writable.erase("attachments");
    if (auto applied = draft.Apply(writable, mail.now()); !applied) return std::move(applied.error());
    patch->raw = draft.ToRaw();
  }
  mail.store().Update(*slot, std::move(*patch), mail.now_milliseconds());
  return MessageAnswer(mail, *slot, 200);
}

Response DeleteMessage(const MailCall& mail, const std::string& id, bool permanently) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  // As in Outlook: first into Deleted Items, from there for good.
  if (permanently || mail.store().IsWithin(mail.store().at(*slot).folder, MailStore::kDeleted)) {
    mail.store().Delete(*slot);
  } else {
    mail.store().Move(*slot, MailStore::kDeleted, mail.now_milliseconds());
  }
  return Response{.status = 204};
}

Response MoveMessage(const MailCall& mail, const std::string& id, bool copy) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const auto* destination = body->if_contains("destinationId");
  if (!destination || !destination->is_string()) {
    return BadRequest("The parameter destinationId is missing.", mail.now(), "ErrorInvalidParameter");
  }
  const auto folder = FindFolder(mail, std::string(destination->as_string()));
  if (!folder) return folder.error();
  MailStore& store = mail.store();
  if (!copy) {
    store.Move(*slot, *folder, mail.now_milliseconds());
    return MessageAnswer(mail, *slot, 201);
  }
  const Item item = store.at(*slot);
  MailStore::Addition addition;
  const std::string raw = store.Raw(item);
  addition.raw = raw;
  addition.folder = *folder;
  addition.received = item.received;
  addition.modified = mail.now_milliseconds();
  addition.read = item.read;
  addition.draft = item.draft;
  addition.flag = item.flag;
  addition.categories = store.Categories(item);
  addition.conversation = item.conversation;
  return MessageAnswer(mail, store.Add(addition), 201);
}

Response TranslateIds(const MailCall& mail) {
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const auto* ids = body->if_contains("inputIds");
  const auto* target = body->if_contains("targetIdType");
  if (!ids || !ids->is_array() || !target || !target->is_string() || ids->as_array().size() > kMaxTranslated) {
    return BadRequest("The parameters inputIds (at most 1,000) and targetIdType are required.", mail.now(),
                      "ErrorInvalidParameter");
  }
  const bool immutable = target->as_string() == "restImmutableEntryId";
  if (!immutable && target->as_string() != "restId") {
    return BadRequest("Only restId and restImmutableEntryId can be asked for here.", mail.now(),
                      "ErrorInvalidParameter");
  }
  boost::json::array value;
  for (const boost::json::value& id : ids->as_array()) {
    const std::string source = id.is_string() ? std::string(id.as_string()) : std::string();
    boost::json::object entry;
    entry["sourceId"] = source;
    if (const auto translated = mail.store().Translate(source, immutable)) {
      entry["targetId"] = *translated;
    } else {
      entry["targetId"] = nullptr;
      entry["errorDetails"] = boost::json::object{{"code", "ErrorInvalidIdMalformed"}, {"message", "Id is malformed."}};
    }
    value.push_back(std::move(entry));
  }
  boost::json::object answer;
  answer["@odata.context"] = mail.call.base() + "/$metadata#Collection(microsoft.graph.convertIdResult)";
  answer["value"] = std::move(value);
  return Json(200, answer);
}

std::optional<Response> RefuseLargeBody(const MailCall& mail) {
  if (mail.call.request.body.size() <= kMaxJsonBody) return std::nullopt;
  return *MakePayload("graph.error.ErrorMessageSizeExceeded.413", mail.now());
}

}  // namespace latchkey::simulator::graph
