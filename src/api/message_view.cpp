#include "api/attachment_stream.hpp"
#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "async/worker_pool.hpp"
#include "images/image_type.hpp"
#include "mail/html_view.hpp"

namespace latchkey::api {
namespace {

// Isolation holds even if the filter failed: no scripts, no same-origin rights, nothing is loaded but our own images.
constexpr std::string_view kViewPolicy =
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'";

constexpr std::string_view kImages = "/api/v1/images/";
/// As many bytes as tell what a picture is.
constexpr std::size_t kEnoughToTell = 16;

void SetImageHeaders(http::Response& response, std::string_view media_type) {
  response.SetHeader("Content-Type", std::string(media_type));
  response.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Cache-Control", "private, max-age=3600");
  response.SetHeader("Referrer-Policy", "no-referrer");
}

/// A picture that came with the message, from the provider as it arrives. What it is, its first bytes say.
Answer ShowPart(Call& call, const images::ImageTicket& ticket) {
  auto opened = co_await OpenAttachment(call.services, ticket.user_id, ticket.message_id, ticket.part);
  if (!opened) co_return Fail(std::move(opened.error()));
  std::string head;
  while (head.size() < kEnoughToTell) {
    co_await opened->pipe->Fill();
    const std::string piece = opened->pipe->Take();
    if (piece.empty()) break;
    head += piece;
  }
  const auto media_type = images::ImageTypeOf(head);
  if (!media_type) co_return Fail(ErrorCode::kNotFound, "the part is no picture");
  http::Response response;
  SetImageHeaders(response, *media_type);
  response.stream = [pipe = std::move(opened->pipe), head = std::move(head)](http::BodyWriter& body) {
    return StreamAttachment(body, pipe, head);
  };
  co_return response;
}

}  // namespace

Answer ViewMessage(Call& call) {
  auto id = PathId<MessageId>(call);
  if (!id) co_return Fail(id.error());
  const auto images = call.request.FindQuery("images").value_or("0");
  if (images != "0" && images != "1") co_return Fail(ErrorCode::kInvalidArgument, "images is 0 or 1");
  auto stored = co_await call.services.messages.Get(call.user().id, *id);
  if (!stored) co_return Fail(stored.error());
  const auto& message = stored->message;
  mail::HtmlViewOptions options;
  if (images == "1") {
    options.image_proxy = [&](const std::string& url) {
      const auto token = call.services.images.Seal(call.user().id, *id, url);
      return token.empty() ? token : std::string(kImages) + token;
    };
  }
  // Nobody else learns of these being shown: they came with the mail.
  for (const auto& [attachment_id, attachment] : stored->attachments) {
    if (attachment.content_id.empty()) continue;
    const auto token = call.services.images.SealPart(call.user().id, *id, attachment_id);
    options.inline_images.emplace_back(attachment.content_id, std::string(kImages) + token);
  }
  auto render = [&] {
    return message.html.empty() ? mail::RenderTextBody(message.text, options)
                                : mail::RenderHtmlBody(message.html, options);
  };
  auto view = co_await call.services.workers.Run(render);
  auto response = Html(200, std::move(view.document));
  response.SetHeader("Content-Security-Policy", std::string(kViewPolicy));
  response.SetHeader("X-Latchkey-Blocked-Images", std::to_string(view.blocked_images));
  co_return response;
}

// The isolated document has no origin, so no cookie comes with its images: the sealed address is the proof. It ends
// with the message's own life in the reader's mailbox.
Answer ProxyImage(Call& call) {
  auto ticket = call.services.images.Open(call.request.PathParameter("token"));
  if (!ticket) co_return Fail(std::move(ticket.error()));
  if (!ticket->part.empty()) co_return co_await ShowPart(call, *ticket);
  auto message = co_await call.services.messages.Get(ticket->user_id, ticket->message_id);
  if (!message) co_return Fail(std::move(message.error()));
  auto image = co_await call.services.images.Fetch(*ticket);
  if (!image) co_return Fail(std::move(image.error()));
  http::Response response;
  SetImageHeaders(response, image->media_type);
  response.body = std::move(image->bytes);
  co_return response;
}

}  // namespace latchkey::api
