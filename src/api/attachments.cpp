#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/file_name.hpp"
#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "async/timer.hpp"

namespace latchkey::api {
namespace {

/// Providers take far less in one message; what is larger is not an attachment but an attack on our memory.
constexpr std::size_t kMaxBytes = 64 << 20;

// A type of our choice: what a browser may be told of without being tempted to run it.
std::string_view SafeType(std::string_view claimed) {
  static constexpr std::array<std::string_view, 8> kKnown = {"application/pdf", "application/zip", "image/png",
                                                             "image/jpeg",      "image/gif",       "image/webp",
                                                             "text/plain",      "text/calendar"};
  const auto* found = std::ranges::find(kKnown, claimed);
  return found == kKnown.end() ? std::string_view("application/octet-stream") : *found;
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

  // Gathered before it is answered, so that a message which is gone by now gives a clean refusal and not a cut file;
  // the permits bound what all downloads together may hold.
  const auto permit = co_await services.download_slots.Acquire();
  std::string bytes;
  bool too_large = false;
  const std::function<Task<bool>(std::string_view)> sink = [&](std::string_view piece) -> Task<bool> {
    too_large = bytes.size() + piece.size() > kMaxBytes;
    if (!too_large) bytes.append(piece);
    co_return !too_large;
  };
  auto fetched = co_await (*provider)->GetAttachment(stored->message.external_id, found->attachment, sink);
  if (too_large) co_return Fail(ErrorCode::kPayloadTooLarge, "attachment beyond the limit");
  if (!fetched) co_return Fail(fetched.error());
  http::Response response;
  response.SetHeader("Content-Type", std::string(SafeType(found->attachment.mime_type)));
  response.SetHeader("Content-Disposition", AttachmentDisposition(found->attachment.name));
  response.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Cache-Control", "private, no-store");
  response.body = std::move(bytes);
  co_return response;
}

}  // namespace latchkey::api
