#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "api/attachment_stream.hpp"
#include "api/file_name.hpp"
#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"

namespace latchkey::api {
namespace {

// A type of our choice: what a browser may be told of without being tempted to run it.
std::string_view SafeType(std::string_view claimed) {
  static constexpr std::array<std::string_view, 8> kKnown = {"application/pdf", "application/zip", "image/png",
                                                             "image/jpeg",      "image/gif",       "image/webp",
                                                             "text/plain",      "text/calendar"};
  const auto* found = std::ranges::find(kKnown, claimed);
  return found == kKnown.end() ? std::string_view("application/octet-stream") : *found;
}

}  // namespace

Task<Result<OpenedAttachment>> OpenAttachment(const Services& services, const UserId& user, const MessageId& message,
                                              std::string_view attachment_id) {
  auto stored = co_await services.messages.Get(user, message);
  if (!stored) co_return Fail(std::move(stored.error()));
  const auto found = std::ranges::find(stored->attachments, attachment_id, &mail::StoredAttachment::id);
  if (found == stored->attachments.end()) co_return Fail(ErrorCode::kNotFound);
  auto account = co_await services.accounts.Get(user, stored->account_id);
  if (!account) co_return Fail(std::move(account.error()));
  auto provider = services.mail_providers.MailboxFor(stored->account_id, account->account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  OpenedAttachment opened{.pipe = nullptr, .attachment = std::move(found->attachment)};
  auto begun =
      co_await services.downloads.Begin(user, std::move(*provider), stored->message.external_id, opened.attachment);
  if (!begun) co_return Fail(std::move(begun.error()));
  opened.pipe = std::move(*begun);
  co_return opened;
}

// Its own copy of the pipe keeps the bytes wanted exactly as long as the answer goes on.
Task<void> StreamAttachment(http::BodyWriter& body, std::shared_ptr<Pipe> pipe, std::string head) {
  if (!head.empty()) co_await body.Write(head);
  while (true) {
    co_await pipe->Fill();
    const std::string piece = pipe->Take();
    if (piece.empty()) break;
    co_await body.Write(piece);
  }
  if (!*pipe->result()) throw std::runtime_error("attachment broke off: " + pipe->result()->error().detail);
}

Answer DownloadAttachment(Call& call) {
  auto id = PathId<MessageId>(call);
  if (!id) co_return Fail(id.error());
  auto opened =
      co_await OpenAttachment(call.services, call.user().id, *id, call.request.PathParameter("attachment_id"));
  if (!opened) co_return Fail(std::move(opened.error()));
  http::Response response;
  response.SetHeader("Content-Type", std::string(SafeType(opened->attachment.mime_type)));
  response.SetHeader("Content-Disposition", AttachmentDisposition(opened->attachment.name));
  response.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Cache-Control", "private, no-store");
  response.stream = [pipe = std::move(opened->pipe)](http::BodyWriter& body) {
    return StreamAttachment(body, pipe, {});
  };
  co_return response;
}

}  // namespace latchkey::api
