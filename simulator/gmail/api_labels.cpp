#include <fmt/format.h>

#include "simulator/gmail/api.hpp"
#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/json_writer.hpp"

namespace latchkey::simulator {
namespace {

void WriteLabel(JsonWriter& json, const Label& label, const Mailbox::Counters* counters) {
  json.BeginObject().Key("id").String(label.id).Key("name").String(label.name);
  if (!label.message_list_visibility.empty()) json.Key("messageListVisibility").String(label.message_list_visibility);
  if (!label.label_list_visibility.empty()) json.Key("labelListVisibility").String(label.label_list_visibility);
  json.Key("type").String(label.user ? "user" : "system");
  if (counters != nullptr) {
    json.Key("messagesTotal").Number(static_cast<std::int64_t>(counters->messages));
    json.Key("messagesUnread").Number(static_cast<std::int64_t>(counters->unread));
    json.Key("threadsTotal").Number(static_cast<std::int64_t>(counters->threads));
    json.Key("threadsUnread").Number(static_cast<std::int64_t>(counters->threads_unread));
  }
  if (!label.background_color.empty() || !label.text_color.empty()) {
    json.Key("color").BeginObject().Key("textColor").String(label.text_color);
    json.Key("backgroundColor").String(label.background_color).EndObject();
  }
  json.EndObject();
}

Response LabelResponse(const Label& label) {
  std::string body;
  JsonWriter json(body);
  WriteLabel(json, label, nullptr);
  return JsonResponse(200, std::move(body));
}

Response NameTaken() {
  return ErrorResponse(
      {.code = 409, .message = "Label name exists or conflicts", .reason = "aborted", .status = "ABORTED"});
}

bool OneOf(std::string_view value, std::initializer_list<std::string_view> allowed) {
  for (const std::string_view candidate : allowed) {
    if (value == candidate) return true;
  }
  return false;
}

/// Takes over what the resource says; the answer to give when a value is none of the schema's.
std::optional<Response> ApplySettings(Label& label, const boost::json::object& resource) {
  const std::string messages = TextMember(resource, "messageListVisibility");
  const std::string list = TextMember(resource, "labelListVisibility");
  if (!messages.empty() && !OneOf(messages, {"show", "hide"})) {
    return InvalidArgument("Invalid value at 'label.message_list_visibility'");
  }
  if (!list.empty() && !OneOf(list, {"labelShow", "labelShowIfUnread", "labelHide"})) {
    return InvalidArgument("Invalid value at 'label.label_list_visibility'");
  }
  if (!messages.empty()) label.message_list_visibility = messages;
  if (!list.empty()) label.label_list_visibility = list;
  if (const boost::json::value* color = resource.if_contains("color"); color != nullptr && color->is_object()) {
    label.background_color = TextMember(color->as_object(), "backgroundColor");
    label.text_color = TextMember(color->as_object(), "textColor");
  }
  return std::nullopt;
}

}  // namespace

Response LabelsList(Call& call) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("labels").BeginArray();
  for (const Label& label : call.mailbox().labels().all()) {
    if (!label.deleted) WriteLabel(json, label, nullptr);
  }
  json.EndArray().EndObject();
  return JsonResponse(200, std::move(body));
}

Response LabelsGet(Call& call) {
  const std::optional<LabelIndex> label = call.mailbox().labels().FindById(call.parameter(0));
  if (!label) return NotFound();
  const Mailbox::Counters counters = call.mailbox().CountLabel(*label);
  std::string body;
  JsonWriter json(body);
  WriteLabel(json, call.mailbox().labels().at(*label), &counters);
  return JsonResponse(200, std::move(body));
}

Response LabelsCreate(Call& call) {
  const auto resource = ReadJsonBody(call.request.body);
  if (!resource) return resource.error();
  const std::string name = TextMember(*resource, "name");
  if (name.empty()) return InvalidArgument("Invalid label name");
  LabelTable& labels = call.mailbox().labels();
  Label checked;
  if (auto refused = ApplySettings(checked, *resource)) return std::move(*refused);
  if (labels.FindByName(name)) return NameTaken();
  const std::optional<LabelIndex> label = labels.Create(name);
  if (!label) return InvalidArgument("Invalid label name");
  ApplySettings(labels.at(*label), *resource);
  return LabelResponse(labels.at(*label));
}

Response LabelsUpdate(Call& call, bool patch) {
  LabelTable& labels = call.mailbox().labels();
  const std::optional<LabelIndex> index = labels.FindById(call.parameter(0));
  if (!index) return NotFound();
  const auto resource = ReadJsonBody(call.request.body);
  if (!resource) return resource.error();
  if (!labels.at(*index).user) return InvalidArgument("Invalid update request");
  const std::string name = TextMember(*resource, "name");
  if (name.empty() && !patch) return InvalidArgument("Invalid label name");
  if (!name.empty()) {
    const std::optional<LabelIndex> other = labels.FindByName(name);
    if (other && *other != *index) return NameTaken();
  }
  if (auto refused = ApplySettings(labels.at(*index), *resource)) return std::move(*refused);
  if (!name.empty()) labels.at(*index).name = name;
  return LabelResponse(labels.at(*index));
}

Response LabelsDelete(Call& call) {
  const std::optional<LabelIndex> label = call.mailbox().labels().FindById(call.parameter(0));
  if (!label) return NotFound();
  if (!call.mailbox().labels().at(*label).user) return InvalidArgument("Invalid delete request");
  call.mailbox().DeleteLabel(*label);
  return NoContent();
}

}  // namespace latchkey::simulator
