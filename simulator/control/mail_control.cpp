// The part of the control API that acts on mailboxes.
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "simulator/control/compose_message.hpp"
#include "simulator/control/control_api.hpp"
#include "simulator/json_fields.hpp"

namespace latchkey::simulator {
namespace {

std::size_t NumberOr(std::string_view text, std::size_t fallback) {
  std::size_t value = fallback;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ControlApi::Outcome ControlApi::Mail(const Request& request, const boost::json::object& body) {
  const auto& segments = request.segments;
  if (segments.size() < 4) return Refuse(404, "mail is at /control/mail/{email}/messages");
  const Account* account = parts_.accounts.FindByEmail(segments[2]);
  if (!account) return Refuse(404, fmt::format("there is no account {}", segments[2]));

  if (account->IsMicrosoft() && (segments[3] != "messages" || segments.size() > 4)) {
    return MicrosoftMail(*account, request, body);
  }
  if (segments[3] == "expire-history" && segments.size() == 4 && request.method == "POST") {
    parts_.mail.ExpireHistory(*account);
    return boost::json::object();
  }
  if (segments[3] != "messages") return Refuse(404, "mail knows messages and expire-history");
  if (segments.size() == 4) {
    if (request.method == "POST") return DeliverMail(*account, body);
    if (request.method != "GET") return Refuse(405, "messages know GET and POST, a single one PATCH and DELETE");
    MailboxQuery query;
    query.offset = NumberOr(request.query.Get("offset"), 0);
    query.limit = NumberOr(request.query.Get("limit"), query.limit);
    query.with_text = request.query.Get("text") == "1";
    query.include_deleted = request.query.Get("deleted") == "1";
    return account->IsMicrosoft() ? parts_.graph_mail.Describe(*account, query) : parts_.mail.Describe(*account, query);
  }
  MailService::Outcome<void> done;
  if (request.method == "DELETE") {
    done = parts_.mail.Delete(*account, segments[4]);
  } else if (request.method == "PATCH") {
    JsonFields fields(body);
    const auto add = fields.Texts("add_labels").value_or(std::vector<std::string>());
    const auto remove = fields.Texts("remove_labels").value_or(std::vector<std::string>());
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    done = parts_.mail.ModifyLabels(*account, segments[4], add, remove);
  } else {
    return Refuse(405, "a single message knows PATCH and DELETE");
  }
  if (!done) return Refuse(404, done.error());
  return boost::json::object();
}

ControlApi::Outcome ControlApi::DeliverMail(const Account& account, const boost::json::object& body) {
  const auto deliver = [&](const boost::json::object& description) -> Outcome {
    auto message = ComposeMessage(description, parts_.clock.Now());
    if (!message) return Refuse(400, message.error());
    auto delivered = account.IsMicrosoft() ? parts_.graph_mail.Deliver(account, *message)
                                           : parts_.mail.Deliver(account, std::move(*message));
    if (!delivered) return Refuse(400, delivered.error());
    return std::move(*delivered);
  };
  const auto* several = body.if_contains("messages");
  if (!several) return deliver(body);
  if (!several->is_array()) return Refuse(400, "\"messages\" must be a list");
  boost::json::array list;
  for (const boost::json::value& description : several->as_array()) {
    if (!description.is_object()) return Refuse(400, "\"messages\" must be a list of objects");
    Outcome delivered = deliver(description.as_object());
    if (!delivered) return delivered;
    list.push_back(std::move(*delivered));
  }
  return boost::json::object{{"messages", std::move(list)}};
}

ControlApi::Outcome ControlApi::MicrosoftMail(const Account& account, const Request& request,
                                              const boost::json::object& body) {
  graph::MailArea& mail = parts_.graph_mail;
  const auto& segments = request.segments;
  const bool post = request.method == "POST";
  if (segments[3] == "folders") return Folders(account, request, body);
  if (segments.size() == 4 && post && (segments[3] == "expire-delta" || segments[3] == "expire-history")) {
    JsonFields fields(body);
    graph::ExpiredForm form;
    form.code = fields.Text("code").value_or(form.code);
    form.status = static_cast<int>(fields.Count("status").value_or(410));
    const std::string folder = fields.Text("folder").value_or("");
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    const auto done = mail.ExpireDelta(account, folder, form);
    if (!done) return Refuse(400, done.error());
    return boost::json::object();
  }
  if (segments[3] != "messages" || segments.size() > 6) {
    return Refuse(404, "Microsoft mail knows messages, folders and expire-delta");
  }
  const std::string& id = segments[4];
  if (segments.size() == 5 && request.method == "DELETE") {
    const auto done = mail.Delete(account, id);
    if (!done) return Refuse(404, done.error());
    return boost::json::object();
  }
  const bool move = segments.size() == 6 && segments[5] == "move" && post;
  if (!move && !(segments.size() == 5 && request.method == "PATCH")) {
    return Refuse(405, "a single message knows PATCH, DELETE and POST …/move");
  }
  JsonFields fields(body);
  graph::MailArea::Change change;
  change.folder = fields.Text("folder");
  if (move) {
    if (!change.folder) fields.Complain("\"folder\" is missing");
  } else {
    change.read = fields.Flag("is_read");
    change.flagged = fields.Flag("is_flagged");
    change.categories = fields.Texts("categories");
    change.add_labels = fields.Texts("add_labels").value_or(std::vector<std::string>());
    change.remove_labels = fields.Texts("remove_labels").value_or(std::vector<std::string>());
  }
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  auto done = mail.ChangeMessage(account, id, change);
  if (!done) return Refuse(404, done.error());
  return std::move(*done);
}

ControlApi::Outcome ControlApi::Folders(const Account& account, const Request& request,
                                        const boost::json::object& body) {
  graph::MailArea& mail = parts_.graph_mail;
  const auto& segments = request.segments;
  if (segments.size() == 4 && request.method == "GET") {
    return boost::json::object{{"folders", mail.DescribeFolders(account)}};
  }
  JsonFields fields(body);
  const auto name = fields.Text("name");
  const auto parent = fields.Text("parent");
  const bool hidden = segments.size() == 4 && fields.Flag("hidden").value_or(false);
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  if (segments.size() == 4 && request.method == "POST") {
    auto made = mail.CreateFolder(account, name.value_or(""), parent.value_or(""), hidden);
    if (!made) return Refuse(400, made.error());
    return std::move(*made);
  }
  if (segments.size() == 5 && request.method == "PATCH") {
    auto changed = mail.ChangeFolder(account, segments[4], name, parent);
    if (!changed) return Refuse(400, changed.error());
    return std::move(*changed);
  }
  if (segments.size() == 5 && request.method == "DELETE") {
    const auto done = mail.DeleteFolder(account, segments[4]);
    if (!done) return Refuse(400, done.error());
    return boost::json::object();
  }
  return Refuse(405, "folders know GET and POST, a single one PATCH and DELETE");
}

}  // namespace latchkey::simulator
