#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::oauth {

/// What a browser is sent to the provider for. Each has its own redirect URI, and a transaction of one is no use in the
/// other.
enum class Flow { kSignIn, kConnect };
std::string_view ToString(Flow flow);  ///< "sign_in", "connect"

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
class PkceChallenge {
 public:
  const std::string& text() const { return text_; }

 private:
  friend class PkceVerifier;
  explicit PkceChallenge(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
class PkceVerifier {
 public:
  static PkceVerifier Generate();
  static Result<PkceVerifier> Parse(std::string_view text);
  PkceChallenge Challenge() const;
  const SecretString& secret() const { return text_; }

 private:
  explicit PkceVerifier(std::string text) : text_(std::move(text)) {}
  SecretString text_;
};

/// A value of 256 random bits that is echoed back: `Tag` keeps a state from being used as a nonce.
template <class Tag>
class Unguessable {
 public:
  static Unguessable Generate();
  /// Exactly the form Generate makes: 43 characters of base64url.
  static Result<Unguessable> Parse(std::string_view text);
  const std::string& text() const { return text_; }
  friend bool operator==(const Unguessable&, const Unguessable&) = default;

 private:
  explicit Unguessable(std::string text) : text_(std::move(text)) {}
  std::string text_;
};
using State = Unguessable<struct StateTag>;
using Nonce = Unguessable<struct NonceTag>;

/// SHA-256 of the state in hex: how it is kept in the database.
std::string HashOf(const State& state);

}  // namespace latchkey::oauth
