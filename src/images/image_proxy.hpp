#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "crypto/sealed_box.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::images {

struct ProxyOptions {
  std::size_t max_bytes = 5 << 20;
  std::chrono::milliseconds timeout = std::chrono::seconds(15);
  /// Fetches at a time over all readers, and how long one waits for its turn.
  std::size_t concurrency = 8;
  std::chrono::milliseconds patience = std::chrono::seconds(10);
  int max_redirects = 3;
  /// How long a token opens its image.
  std::chrono::seconds token_life = std::chrono::hours(1);
};

/// Where a token leads.
struct ImageTicket {
  UserId user_id;
  MessageId message_id;
  std::string url;   ///< A remote address, or
  std::string part;  ///< the id of one of the message's own attachments; one of the two is empty.
};

struct Image {
  std::string bytes;
  std::string_view media_type;
};

/// Fetches images that mails refer to. Only addresses that a view of ours has sealed are fetched; nothing of the reader
/// is passed on (no cookies, no referrer); a redirect is one more request with the same checks. Loop thread only.
class ImageProxy {
 public:
  /// `http` must refuse addresses that are not public (ClientOptions::any_public_host).
  ImageProxy(Executor executor, http_client::HttpClient& http, crypto::SealedBox box, const Clock& clock,
             ProxyOptions options = {});

  /// A token for a path; empty for an address that is never fetched (not http or https, or longer than 2,048 bytes).
  std::string Seal(const UserId& user, const MessageId& message, std::string_view url) const;
  /// The same for a picture that came with the message itself; whoever opens it fetches it.
  std::string SealPart(const UserId& user, const MessageId& message, std::string_view attachment_id) const;
  /// kNotFound for anything that is no living token of ours.
  Result<ImageTicket> Open(std::string_view token) const;
  /// kNotFound when there is no image to be had there: refused, too large, not an image, too many redirects.
  /// kOverloaded when too many are being fetched, kProviderUnavailable and kTimeout when the host does not answer.
  Task<Result<Image>> Fetch(const ImageTicket& ticket);

 private:
  Task<Result<http_client::HttpResponse>> Get(std::string url);

  http_client::HttpClient& http_;
  crypto::SealedBox box_;
  const Clock& clock_;
  ProxyOptions options_;
  Semaphore slots_;
};

/// `location` as seen from `base` (RFC 3986 section 5.2); empty when that is no address.
std::string ResolveUrl(const std::string& base, const std::string& location);

}  // namespace latchkey::images
