#include <algorithm>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/outgoing.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "mail/send_mail.hpp"

namespace latchkey::api {
namespace {

constexpr std::size_t kMaxPeople = 500;
constexpr std::size_t kMaxFiles = 100;

/// The array of that name; nullptr when it is absent.
Result<const boost::json::array*> Array(const boost::json::value& body, json::Members& members, std::string_view name,
                                        std::size_t max) {
  if (!body.as_object().contains(boost::json::string_view(name.data(), name.size()))) return nullptr;
  auto value = members.Value(name);
  if (!value) return Fail(value.error());
  if (!(*value)->is_array() || (*value)->get_array().size() > max) {
    return Fail(ErrorCode::kInvalidArgument, "a list is no list or too long");
  }
  return &(*value)->get_array();
}

Result<std::vector<mail::Address>> ReadPeople(const boost::json::array* list) {
  std::vector<mail::Address> people;
  if (!list) return people;
  for (const auto& item : *list) {
    auto members = json::Members::Of(item);
    if (!members) return Fail(members.error());
    auto name = members->OptionalString("name");
    if (!name) return Fail(name.error());
    auto address = members->String("address");
    if (!address) return Fail(address.error());
    if (auto others = members->RefuseOthers(); !others) return Fail(others.error());
    people.push_back({.name = std::string(name->value_or("")), .address = std::string(*address)});
  }
  return people;
}

Result<mail::SendRequest::File> ReadFile(const boost::json::value& item) {
  auto members = json::Members::Of(item);
  if (!members) return Fail(members.error());
  mail::SendRequest::File file;
  auto upload = members->OptionalString("upload_id");
  if (!upload) return Fail(upload.error());
  auto content_id = members->OptionalString("content_id");
  if (!content_id) return Fail(content_id.error());
  file.content_id = content_id->value_or("");
  file.is_inline = !file.content_id.empty();
  if (*upload) {
    auto id = mail::UploadId::Parse(**upload);
    if (!id) return Fail(ErrorCode::kNotFound, "no such upload");
    file.upload = std::move(*id);
  } else {
    auto name = members->String("name");
    auto type = members->String("mime_type");
    auto content = members->String("content");
    for (const auto* text : {&name, &type, &content}) {
      if (!*text) return Fail(text->error());
    }
    if (name->empty()) return Fail(ErrorCode::kInvalidArgument, "a file has a name");
    auto bytes = Base64Decode(*content);
    if (!bytes) return Fail(ErrorCode::kInvalidArgument, "content is not base64");
    file.name = *name;
    file.mime_type = *type;
    file.content = std::move(*bytes);
  }
  if (auto others = members->RefuseOthers(); !others) return Fail(others.error());
  return file;
}

template <class IdType>
Result<IdType> OptionalId(json::Members& members, std::string_view name) {
  auto text = members.OptionalString(name);
  if (!text) return Fail(text.error());
  if (!*text) return IdType();
  auto id = IdType::Parse(**text);
  if (!id) return Fail(ErrorCode::kInvalidArgument, "a member is no id");
  return std::move(*id);
}

Result<mail::SendRequest> ReadRequest(const boost::json::value& body) {
  auto members = json::Members::Of(body);
  if (!members) return Fail(members.error());
  mail::SendRequest request;
  auto account = OptionalId<ConnectedAccountId>(*members, "account");
  if (!account) return Fail(account.error());
  request.account = std::move(*account);
  auto from = members->OptionalString("from");
  auto html = members->OptionalString("html");
  auto subject = members->String("subject");
  auto text = members->String("text");
  if (!from) return Fail(from.error());
  if (!html) return Fail(html.error());
  if (!subject) return Fail(subject.error());
  if (!text) return Fail(text.error());
  request.from = from->value_or("");
  request.html = html->value_or("");
  request.subject = *subject;
  request.text = *text;
  for (const auto& [name, target] : {std::pair{"to", &request.to}, {"cc", &request.cc}, {"bcc", &request.bcc}}) {
    auto list = Array(body, *members, name, kMaxPeople);
    if (!list) return Fail(list.error());
    auto people = ReadPeople(*list);
    if (!people) return Fail(people.error());
    *target = std::move(*people);
  }
  auto reply = OptionalId<MessageId>(*members, "reply_to_message");
  if (!reply) return Fail(reply.error());
  request.reply_to = std::move(*reply);
  auto forward = OptionalId<MessageId>(*members, "forward_of_message");
  if (!forward) return Fail(forward.error());
  request.forward_of = std::move(*forward);
  auto files = Array(body, *members, "attachments", kMaxFiles);
  if (!files) return Fail(files.error());
  if (*files) {
    for (const auto& item : **files) {
      auto file = ReadFile(item);
      if (!file) return Fail(file.error());
      request.files.push_back(std::move(*file));
    }
  }
  auto delay = members->OptionalInteger("send_after_seconds");
  if (!delay) return Fail(delay.error());
  if (delay->value_or(0) < 0 || delay->value_or(0) > 60) {
    return Fail(ErrorCode::kInvalidArgument, "a mail waits for at most a minute");
  }
  request.delay = std::chrono::seconds(delay->value_or(0));
  if (auto others = members->RefuseOthers(); !others) return Fail(others.error());
  return request;
}

Result<std::string> ReadKey(const http::Request& request) {
  const auto key = request.FindHeader("Idempotency-Key");
  if (!key) return std::string();
  const bool visible = std::ranges::all_of(*key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (key->size() < 16 || key->size() > 128 || !visible) {
    return Fail(ErrorCode::kInvalidArgument, "Idempotency-Key takes 16 to 128 visible characters");
  }
  return std::string(*key);
}

Answer Accept(Call& call, mail::SendRequest request, std::string key) {
  if (const auto wait = co_await call.services.send_limit.Hit(call.user().id.text())) {
    co_return std::unexpected(Error{.code = ErrorCode::kTooManyRequests, .detail = "mails", .retry_after = *wait});
  }
  // The whole request decides whether it is the same: which account, and every byte of what is to be sent.
  const std::string hash = crypto::Sha256Hex(request.account.text() + '\n' + call.request.body);
  auto entry = co_await call.services.send_mail.Accept(call.user().id, request, key, hash);
  if (!entry) co_return Fail(entry.error());
  co_return OutgoingResponse(202, *entry);
}

}  // namespace

Answer SendMessage(Call& call) {
  auto key = ReadKey(call.request);
  if (!key) co_return Fail(key.error());
  if (key->empty()) co_return Fail(ErrorCode::kInvalidArgument, "Idempotency-Key is needed");
  auto request = ReadRequest(call.body);
  if (!request) co_return Fail(request.error());
  if (request->account.empty()) co_return Fail(ErrorCode::kInvalidArgument, "account is needed");
  co_return co_await Accept(call, std::move(*request), std::move(*key));
}

Answer SendByProvider(Call& call) {
  auto key = ReadKey(call.request);
  if (!key) co_return Fail(key.error());
  // Every request without a key is a mail of its own.
  if (key->empty()) *key = "request-" + RandomToken(24);
  auto request = ReadRequest(call.body);
  if (!request) co_return Fail(request.error());
  auto accounts = co_await call.services.accounts.List(call.user().id);
  if (!accounts) co_return Fail(accounts.error());
  const auto provider = call.request.PathParameter("provider");
  std::erase_if(*accounts, [&](const auto& view) {
    const bool named = request->account.empty() || view.account.id == request->account;
    return view.account.provider != provider || view.account.disconnecting || !named;
  });
  if (accounts->empty()) co_return Fail(ErrorCode::kNotFound, "no account of that provider");
  if (accounts->size() > 1) co_return Fail(ErrorCode::kConflict, "several accounts of that provider");
  request->account = accounts->front().account.id;
  co_return co_await Accept(call, std::move(*request), std::move(*key));
}

Answer ListSendAddresses(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto addresses = co_await call.services.send_mail.Addresses(call.user().id, *id);
  if (!addresses) co_return Fail(addresses.error());
  json::Writer out;
  out.BeginObject().Key("addresses").BeginArray();
  for (const auto& one : *addresses) {
    out.BeginObject().Member("address", one.address);
    WriteText(out, "name", one.name);
    out.Member("is_default", one.is_default).EndObject();
  }
  out.EndArray().EndObject();
  co_return Json(200, out.Take());
}

}  // namespace latchkey::api
