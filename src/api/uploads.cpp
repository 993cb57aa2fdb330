#include <charconv>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "mail/header_text.hpp"
#include "mail/send_check.hpp"
#include "mail/send_mail.hpp"

namespace latchkey::api {
namespace {

constexpr std::int64_t kMaxUpload = 25 << 20;

std::int64_t AnnouncedLength(const http::Request& request) {
  const auto text = request.FindHeader("Content-Length").value_or("");
  std::int64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

/// Writes the body away in whole pieces as it comes: what is in memory is one piece, whatever the file's size.
Task<Result<void>> Receive(Call& call, const mail::UploadId& id) {
  auto& outbox = call.services.send_mail.outbox();
  std::string piece;
  piece.reserve(mail::OutboxStore::kChunkBytes);
  std::int64_t position = 0, total = 0;
  for (bool more = true; more;) {
    const auto bytes = co_await call.request.body_reader->Read();
    if (!bytes) co_return Fail(bytes.error());
    more = !bytes->empty();
    total += static_cast<std::int64_t>(bytes->size());
    if (total > kMaxUpload) co_return Fail(ErrorCode::kAttachmentTooLarge, "beyond what a mail can take");
    std::string_view rest = *bytes;
    while (!rest.empty() || (!more && !piece.empty())) {
      const std::size_t take = std::min(rest.size(), mail::OutboxStore::kChunkBytes - piece.size());
      piece.append(rest.substr(0, take));
      rest.remove_prefix(take);
      if (piece.size() < mail::OutboxStore::kChunkBytes && more) break;
      auto stored = co_await outbox.AppendUpload(call.user().id, id, position++, piece);
      if (!stored) co_return stored;
      piece.clear();
    }
  }
  co_return Result<void>();
}

}  // namespace

Answer UploadFile(Call& call) {
  auto name = QueryText(call, "name", 255);
  if (!name) co_return Fail(name.error());
  if (name->empty()) co_return Fail(ErrorCode::kInvalidArgument, "a file has a name");
  auto type = QueryText(call, "type", 127);
  if (!type) co_return Fail(type.error());
  const auto sent = call.request.FindHeader("Content-Type");
  if (!sent || !http::IsMediaType(*sent, "application/octet-stream")) {
    // The same bytes under another type could be a form of somebody else's page.
    co_return Fail(ErrorCode::kInvalidArgument, "a file is sent as application/octet-stream");
  }
  if (AnnouncedLength(call.request) > kMaxUpload) {
    co_return Fail(ErrorCode::kAttachmentTooLarge, "beyond what a mail can take");
  }
  if (const auto wait = co_await call.services.send_limit.Hit(call.user().id.text())) {
    co_return std::unexpected(Error{.code = ErrorCode::kTooManyRequests, .detail = "uploads", .retry_after = *wait});
  }
  auto& outbox = call.services.send_mail.outbox();
  auto upload = co_await outbox.BeginUpload(call.user().id, mail::SafeFileName(*name), mail::CheckMediaType(*type));
  if (!upload) co_return Fail(upload.error());
  auto received = co_await Receive(call, upload->id);
  if (!received) {
    // What came so far is of no use; if this fails too, it ends with its time.
    (void)co_await outbox.DeleteUpload(call.user().id, upload->id);
    co_return Fail(received.error());
  }
  auto finished = co_await outbox.FinishUpload(call.user().id, upload->id);
  if (!finished) co_return Fail(finished.error());
  json::Writer out;
  out.BeginObject()
      .Member("id", finished->id.text())
      .Member("name", finished->name)
      .Member("mime_type", finished->mime_type)
      .Member("size", finished->size);
  WriteInstant(out, "expires_at", finished->expires_at);
  out.EndObject();
  co_return Json(201, out.Take());
}

Answer DeleteUpload(Call& call) {
  auto id = PathId<mail::UploadId>(call);
  if (!id) co_return Fail(id.error());
  auto deleted = co_await call.services.send_mail.outbox().DeleteUpload(call.user().id, *id);
  if (!deleted) co_return Fail(deleted.error());
  co_return NoContent();
}

}  // namespace latchkey::api
