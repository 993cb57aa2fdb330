#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "crypto/sealed_box.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/values.hpp"

namespace latchkey::oauth {

/// A flow older than this is refused.
inline constexpr std::chrono::minutes kTransactionLifetime{10};

/// The cookie that binds a flow to the browser that started it: HttpOnly, SameSite=Lax, Path=/, and with the __Host-
/// prefix and Secure exactly when `name` begins with "__Host-".
struct TransactionCookie {
  std::string name;
  std::string value;
  std::chrono::seconds max_age{kTransactionLifetime};
};

/// Where to send the browser, and the cookie to set with it.
struct StartedFlow {
  std::string authorize_url;
  TransactionCookie cookie;
};

/// Everything a callback needs, sealed into the browser's cookie so that a start writes no row.
struct Transaction {
  State state;
  Nonce nonce;
  PkceVerifier verifier;
  std::string provider;
  Flow flow = Flow::kSignIn;
  std::string return_to;  ///< A checked local path.
  Instant created_at{};
  bool claims_setup = false;
  /// Sign-in: hash of the session that the browser held at the start. Its cookie is SameSite=Strict, so it does not
  /// come back with the provider's redirect.
  std::string previous_session_hash;
  // Connect only.
  std::string user_id, session_id, attempt_id;
};

/// What the provider's redirect brought, as it arrived, and what the browser sent with it.
struct CallbackRequest {
  std::string provider;  ///< From the route.
  /// Decoded, in order, repeats kept.
  std::vector<std::pair<std::string, std::string>> query;
  /// Looks up one cookie; nullopt when absent or ambiguous.
  std::function<std::optional<std::string>(std::string_view name)> cookie;
  std::string user_agent;
  std::string address;
};

/// Seals and opens transactions. Immutable; any thread.
class Transactions {
 public:
  /// `secure_cookies`: https public URL, so that cookie names take the __Host- prefix.
  Transactions(crypto::SealedBox box, bool secure_cookies) : box_(std::move(box)), secure_(secure_cookies) {}

  TransactionCookie Seal(const Transaction& transaction) const;
  /// Checks names, age, provider, flow and state. kStateMismatch (no cookie, another browser, another flow), or
  /// kStateExpired.
  Result<Transaction> Open(const CallbackRequest& callback, Flow flow, Instant now) const;
  /// The cookie's name for a state; the callback's answer clears it.
  std::string CookieName(std::string_view state) const;
  bool secure() const { return secure_; }

 private:
  crypto::SealedBox box_;
  bool secure_;
};

/// The query of the provider's redirect (RFC 6749 section 4.1.2). kStateMismatch when code, state, error or iss
/// occurs twice, without a state of our form, and with both or neither of code and error.
struct RedirectParameters {
  std::string state;
  SecretString code;
  RedirectError error;  ///< The provider's; its code is empty when there is none. Never shown.
  std::optional<std::string> issuer;
  static Result<RedirectParameters> Parse(const std::vector<std::pair<std::string, std::string>>& query);
};

/// `text` when it is a local path ("/inbox?x=1"), else "/". Refuses "//host", "/\\host", control characters, schemes.
std::string SafeReturnPath(std::string_view text);

}  // namespace latchkey::oauth
