#include "nasty_provider.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::sending {
namespace {

using http_client::HttpRequest;
using http_client::HttpResponse;

HttpResponse Answer(int status, std::string body = "{}") {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse Failure(int status, std::string_view code) {
  return Answer(status, fmt::format(R"({{"error":{{"code":"{0}","errors":[{{"reason":"{0}"}}]}}}})", code));
}

/// The uuid behind `name` in a mail or a JSON text.
std::string OutboxIdIn(std::string_view text) {
  std::size_t at = text.find("X-Latchkey-Outbox-Id: ");
  if (at != std::string_view::npos) return std::string(text.substr(at + 22, 36));
  at = text.find("\"x-latchkey-outbox-id\",\"value\":\"");
  return at == std::string_view::npos ? std::string() : std::string(text.substr(at + 32, 36));
}

}  // namespace

std::map<std::string, int> NastyProvider::Sent() const {
  std::map<std::string, int> count;
  for (const Mail& mail : mails_) {
    if (!mail.draft) ++count[mail.outbox_id];
  }
  return count;
}

std::size_t NastyProvider::drafts() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(mails_, [](const Mail& mail) { return mail.draft && !mail.binned; }));
}

std::size_t NastyProvider::drafts_in_bin() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(mails_, [](const Mail& mail) { return mail.draft && mail.binned; }));
}

NastyProvider::Mail& NastyProvider::AddDraft(char kind, std::string_view body) {
  mails_.push_back({.id = fmt::format("{}{}", kind, next_id_++),
                    .outbox_id = OutboxIdIn(body),
                    .draft = true,
                    .date = clock_.Now(),
                    .made = now_,
                    .written = now_});
  return mails_.back();
}

void NastyProvider::Settle() {
  const Instant now = clock_.Now();
  std::vector<Later> due;
  std::erase_if(later_, [&](Later& one) {
    if (one.at > now) return false;
    due.push_back(std::move(one));
    return true;
  });
  for (const Later& one : due) {
    now_ = one.at;
    Act(one.request, one.body);
  }
  now_ = now;
}

Task<Result<HttpResponse>> NastyProvider::Send(const HttpRequest& request) {
  Settle();
  const std::string body(request.body.empty() ? request.body_view : std::string_view(request.body));
  if (request.may_have_left) *request.may_have_left = true;
  const bool post = request.method == "POST";
  const bool draft = post && (request.url.ends_with("/me/messages") || request.url.contains("/me/drafts?"));
  const bool send = post && (request.url.ends_with("/send") || request.url.contains("/send?"));
  const bool unheard =
      (draft && std::exchange(lose_next_draft, false)) || (send && std::exchange(lose_next_send, false));
  if (unheard) {
    Act(request, body);
    co_return Fail(ErrorCode::kTimeout, "no answer");
  }
  if (Roll(100) >= evil) co_return Act(request, body);
  switch (Roll(crashes ? 11 : 8)) {
    case 0:  // No connection.
      if (request.may_have_left) *request.may_have_left = false;
      co_return Fail(ErrorCode::kProviderUnavailable, "refused");
    case 1:  // Lost on the way there.
      co_return Fail(ErrorCode::kProviderUnavailable, "reset");
    case 2:  // Lost on the way back.
      Act(request, body);
      co_return Fail(ErrorCode::kTimeout, "no answer");
    case 3: {  // Carried out when nobody waits for it any more.
      Later later{.at = clock_.Now() + std::chrono::seconds(1 + Roll(90)), .request = request, .body = body};
      later.request.body_view = {};
      later.request.on_body_async = nullptr;
      later_.push_back(std::move(later));
      co_return Fail(ErrorCode::kTimeout, "no answer");
    }
    case 4:
      co_return Answer(503, "<html>busy</html>");
    case 5:  // Done, and then something behind it broke.
      Act(request, body);
      co_return Answer(502, "<html>bad gateway</html>");
    case 6: {
      auto refused = Failure(429, "rateLimitExceeded");
      refused.headers.emplace_back("Retry-After", std::to_string(3 + Roll(20)));
      co_return refused;
    }
    case 7:  // A success that cannot be read.
      Act(request, body);
      co_return Answer(request.method == "GET" ? 200 : 202, "{\"tru");
    case 8:
      throw Crash();
    case 9:
      Act(request, body);
      throw Crash();
    default:
      later_.push_back({.at = clock_.Now() + std::chrono::seconds(1 + Roll(90)), .request = request, .body = body});
      later_.back().request.body_view = {};
      throw Crash();
  }
}

HttpResponse NastyProvider::Act(const HttpRequest& request, std::string_view body) {
  const std::string_view url = request.url;
  constexpr std::string_view kGmail = "https://gmail.example/", kGraph = "https://graph.example/";
  if (url.starts_with(kGmail)) return Gmail(request, url.substr(kGmail.size()), body);
  if (url.starts_with(kGraph)) return Graph(request, url.substr(kGraph.size()), body);
  return Answer(400);
}

NastyProvider::Mail* NastyProvider::FindMail(std::string_view id) {
  const auto found = std::ranges::find(mails_, id, &Mail::id);
  return found == mails_.end() ? nullptr : &*found;
}

void NastyProvider::MoveToTop(const Mail& mail) {
  const auto at = mails_.begin() + (&mail - mails_.data());
  std::rotate(at, at + 1, mails_.end());
}

std::string NastyProvider::Describe(const Mail& mail) const {
  std::string attachments;
  for (std::size_t i = 0; i < mail.attachments; ++i) attachments += i == 0 ? R"({"id":"a"})" : R"(,{"id":"a"})";
  const auto whole = [](Instant instant) { return FormatInstant(std::chrono::floor<std::chrono::seconds>(instant)); };
  return fmt::format(
      R"({{"id":"{0}","threadId":"t","conversationId":"t","isDraft":{1},"internalDate":"{2}","attachments":[{3}],)"
      R"("createdDateTime":"{5}","lastModifiedDateTime":"{6}",)"
      R"("payload":{{"headers":[{{"name":"X-Latchkey-Outbox-Id","value":"{4}"}}]}},)"
      R"("internetMessageHeaders":[{{"name":"x-latchkey-outbox-id","value":"{4}"}}]}})",
      mail.id, mail.draft, ToMicros(mail.date) / 1000, attachments, mail.outbox_id, whole(mail.made),
      whole(mail.written));
}

HttpResponse NastyProvider::Show(const Mail& mail) const { return Answer(200, Describe(mail)); }

HttpResponse NastyProvider::Gmail(const HttpRequest& request, std::string_view path, std::string_view body) {
  constexpr std::string_view kMessages = "gmail/v1/users/me/messages";
  if (request.method == "POST" && path.starts_with("upload/gmail/v1/users/me/messages/send")) {
    if (Lies()) return Answer(200, fmt::format(R"({{"id":"g{}","threadId":"t"}})", next_id_++));
    mails_.push_back({.id = fmt::format("g{}", next_id_++), .outbox_id = OutboxIdIn(body), .date = clock_.Now()});
    return Answer(200, fmt::format(R"({{"id":"{}","threadId":"t"}})", mails_.back().id));
  }
  constexpr std::string_view kDrafts = "gmail/v1/users/me/drafts";
  const bool upload = path.starts_with("upload/");
  if (path.substr(upload ? 7 : 0).starts_with(kDrafts)) {
    path.remove_prefix(kDrafts.size() + (upload ? 7 : 0));
    return may_draft ? GmailDraft(request, path, body) : Failure(403, "insufficientPermissions");
  }
  if (!path.starts_with(kMessages)) return Failure(404, "notFound");
  path.remove_prefix(kMessages.size());
  if (path.starts_with("?")) {
    // The search index knows nothing for hours; the list knows at once.
    std::string list;
    if (path.find("labelIds=SENT") != std::string_view::npos) {
      for (auto mail = mails_.rbegin(); mail != mails_.rend(); ++mail) {
        if (!mail->draft) list += fmt::format(R"({}{{"id":"{}"}})", list.empty() ? "" : ",", mail->id);
      }
    }
    return Answer(200, list.empty() ? "{}" : fmt::format(R"({{"messages":[{}]}})", list));
  }
  const Mail* mail = FindMail(path.substr(1, path.find('?') - 1));
  return mail ? Show(*mail) : Failure(404, "notFound");
}

HttpResponse NastyProvider::GmailDraft(const HttpRequest& request, std::string_view path, std::string_view body) {
  if (request.method == "POST" && path.starts_with("?")) {
    return Answer(200, fmt::format(R"({{"id":"{}"}})", AddDraft('r', body).id));
  }
  if (path.starts_with("?")) {
    std::string list;
    for (const Mail& mail : mails_) {
      if (mail.draft) list += fmt::format(R"({}{{"id":"{}"}})", list.empty() ? "" : ",", mail.id);
    }
    return Answer(200, list.empty() ? "{}" : fmt::format(R"({{"drafts":[{}]}})", list));
  }
  const bool send = path.starts_with("/send");
  std::string_view id = path.substr(1, path.find('?') - 1);
  if (send) {
    id = body.substr(body.find(R"("id":")") + 6);
    id = id.substr(0, id.find('"'));
  }
  Mail* mail = FindMail(id);
  if (!mail || !mail->draft) return Failure(404, "notFound");
  if (send && Lies()) {
    std::erase_if(mails_, [&](const Mail& one) { return &one == mail; });
    return Answer(200, fmt::format(R"({{"id":"g{}","threadId":"t"}})", next_id_++));
  }
  if (send) {
    // The draft goes, and a mail of another id is sent.
    mail->draft = false;
    mail->id = fmt::format("g{}", next_id_++);
    mail->date = clock_.Now();
    MoveToTop(*mail);
    return Answer(200, fmt::format(R"({{"id":"{}","threadId":"t"}})", mails_.back().id));
  }
  if (request.method == "DELETE") {
    std::erase_if(mails_, [&](const Mail& one) { return &one == mail; });
    return Answer(204, "");
  }
  return Answer(200, fmt::format(R"({{"id":"{}","message":{}}})", mail->id, Describe(*mail)));
}

HttpResponse NastyProvider::Graph(const HttpRequest& request, std::string_view path, std::string_view body) {
  if (path.starts_with("upload/")) {
    Mail* mail = FindMail(path.substr(7));
    if (!mail) return Failure(404, "itemNotFound");
    if (request.method == "PUT") {
      std::int64_t from = -1, total = 0;
      for (const auto& [name, value] : request.headers) {
        if (name != "Content-Range") continue;
        std::from_chars(value.data() + 6, value.data() + value.size(), from);
        const std::size_t slash = value.find('/');
        std::from_chars(value.data() + slash + 1, value.data() + value.size(), total);
      }
      if (from != mail->session_bytes) return Failure(416, "invalidRange");
      mail->session_bytes += static_cast<std::int64_t>(body.size());
      if (mail->session_bytes == total) {
        ++mail->attachments;
        mail->written = now_;
        return Answer(201, "");
      }
    }
    return Answer(200, fmt::format(R"({{"nextExpectedRanges":["{}-"]}})", mail->session_bytes));
  }
  constexpr std::string_view kBase = "v1.0/me/";
  path.remove_prefix(std::min(path.size(), kBase.size()));
  if (path.starts_with("mailFolders/")) {
    const bool drafts = path.starts_with("mailFolders/drafts");
    std::string list;
    for (auto mail = mails_.rbegin(); mail != mails_.rend(); ++mail) {
      if (mail->draft == drafts && !mail->binned) list += (list.empty() ? "" : ",") + Describe(*mail);
    }
    return Answer(200, fmt::format(R"({{"value":[{}]}})", list));
  }
  constexpr std::string_view kMessages = "messages";
  path.remove_prefix(std::min(path.size(), kMessages.size()));
  if (path.empty() && request.method == "POST") {
    return Answer(201, Describe(AddDraft('d', body)));
  }
  path.remove_prefix(std::min<std::size_t>(path.size(), 1));
  const std::string_view id = path.substr(0, path.find_first_of("/?"));
  const std::string_view verb = path.substr(id.size());
  Mail* mail = FindMail(id);
  if (!mail) return Failure(404, "ErrorItemNotFound");
  if (request.method == "GET") return Show(*mail);
  if (verb == "/permanentDelete" || (request.method == "DELETE" && mail->binned)) {
    std::erase_if(mails_, [&](const Mail& one) { return one.id == id; });
    return Answer(204, "");
  }
  if (request.method == "DELETE") {
    mail->binned = true;
    return Answer(204, "");
  }
  if (!mail->draft) return Failure(400, "ErrorInvalidOperation");
  if (request.method == "PATCH") {
    mail->written = now_;
    return Show(*mail);
  }
  if (verb == "/send") {
    if (Lies()) {
      std::erase_if(mails_, [&](const Mail& one) { return one.id == id; });
      return Answer(202, "");
    }
    mail->draft = false;
    mail->date = clock_.Now();
    MoveToTop(*mail);
    return Answer(202, "");
  }
  if (verb == "/attachments") {
    ++mail->attachments;
    mail->written = now_;
    return Answer(201, R"({"id":"a"})");
  }
  if (verb == "/attachments/createUploadSession") {
    mail->session_bytes = 0;
    return Answer(201, fmt::format(R"({{"uploadUrl":"https://graph.example/upload/{}"}})", mail->id));
  }
  return Failure(400, "badRequest");
}

}  // namespace latchkey::sending
