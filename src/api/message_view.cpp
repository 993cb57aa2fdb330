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

}  // namespace

Answer ViewMessage(Call& call) {
  auto id = PathId<MessageId>(call);
  if (!id) co_return Fail(id.error());
  const auto images = call.request.FindQuery("images").value_or("0");
  if (images != "0" && images != "1") co_return Fail(ErrorCode::kInvalidArgument, "images is 0 or 1");
  auto stored = co_await call.services.messages.Get(call.user().id, *id);
  if (!stored) co_return Fail(stored.error());
  const auto& message = stored->message;
  auto render = [&] {
    return message.html.empty() ? mail::RenderTextBody(message.text) : mail::RenderHtmlBody(message.html, {});
  };
  auto view = co_await call.services.workers.Run(render);
  auto response = Html(200, std::move(view.document));
  response.SetHeader("Content-Security-Policy", std::string(kViewPolicy));
  response.SetHeader("X-Latchkey-Blocked-Images", std::to_string(view.blocked_images));
  co_return response;
}

// No token is issued while remote images stay blocked, so none can be right.
Answer ProxyImage(Call&) { co_return Fail(ErrorCode::kNotFound, "no such image token"); }

}  // namespace latchkey::api
