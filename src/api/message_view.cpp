#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "async/worker_pool.hpp"
#include "mail/html_view.hpp"

namespace latchkey::api {
namespace {

// Isolation holds even if the filter failed: no scripts, no same-origin rights, nothing is loaded but our own images.
constexpr std::string_view kViewPolicy =
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'";

constexpr std::string_view kImages = "/api/v1/images/";

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
  auto message = co_await call.services.messages.Get(ticket->user_id, ticket->message_id);
  if (!message) co_return Fail(std::move(message.error()));
  auto image = co_await call.services.images.Fetch(*ticket);
  if (!image) co_return Fail(std::move(image.error()));
  http::Response response;
  response.SetHeader("Content-Type", std::string(image->media_type));
  response.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Cache-Control", "private, max-age=3600");
  response.SetHeader("Referrer-Policy", "no-referrer");
  response.body = std::move(image->bytes);
  co_return response;
}

}  // namespace latchkey::api
