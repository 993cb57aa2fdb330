#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "api/downloads.hpp"
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

/// Its own copy of the pipe keeps the bytes wanted exactly as long as the answer goes on.
Task<void> Stream(http::BodyWriter& body, std::shared_ptr<Pipe> pipe) {
  while (true) {
    co_await pipe->Fill();
    const std::string piece = pipe->Take();
    if (piece.empty()) break;
    co_await body.Write(piece);
  }
  // A broken download must look broken, not short.
  if (!*pipe->result()) throw std::runtime_error("attachment broke off: " + pipe->result()->error().detail);
}

}  // namespace

Answer DownloadAttachment(Call& call) {
  const auto& services = call.services;
  auto id = PathId<MessageId>(call);
  if (!id) co_return Fail(id.error());
  auto stored = co_await services.messages.Get(call.user().id, *id);
  if (!stored) co_return Fail(stored.error());
  const auto wanted = call.request.PathParameter("attachment_id");
  const auto found = std::ranges::find(stored->attachments, wanted, &mail::StoredAttachment::id);
  if (found == stored->attachments.end()) co_return Fail(ErrorCode::kNotFound);
  auto account = co_await services.accounts.Get(call.user().id, stored->account_id);
  if (!account) co_return Fail(account.error());
  auto provider = services.mail_providers.MailboxFor(stored->account_id, account->account.provider);
  if (!provider) co_return Fail(provider.error());

  auto begun = co_await services.downloads.Begin(call.user().id, std::move(*provider), stored->message.external_id,
                                                 found->attachment);
  if (!begun) co_return Fail(begun.error());
  http::Response response;
  response.SetHeader("Content-Type", std::string(SafeType(found->attachment.mime_type)));
  response.SetHeader("Content-Disposition", AttachmentDisposition(found->attachment.name));
  response.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Cache-Control", "private, no-store");
  response.stream = [pipe = std::move(*begun)](http::BodyWriter& body) { return Stream(body, pipe); };
  co_return response;
}

}  // namespace latchkey::api
