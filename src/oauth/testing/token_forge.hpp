#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace latchkey::oauth::testing {

/// A signing key of a made-up provider, that signs anything, well formed or not. For tests only.
class ForgeKey {
 public:
  ForgeKey() = default;
  static ForgeKey Rsa(std::string kid, int bits = 2048);
  static ForgeKey Ec(std::string kid);

  /// header.payload.signature over these very texts.
  std::string Sign(std::string_view header, std::string_view payload) const;
  /// Sign with the key's own {"alg","kid","typ"}.
  std::string SignClaims(std::string_view payload) const;
  /// As the provider's key set shows it; `more` is appended to the members, for example `,"use":"sig"`.
  std::string PublicJwk(std::string_view more = R"(,"use":"sig")") const;
  const std::string& kid() const { return kid_; }
  /// The public key as PEM text, which attackers have tried as HMAC key.
  std::string PublicPem() const;

 private:
  std::string kid_;
  bool rsa_ = true;
  std::shared_ptr<evp_pkey_st> key_;
};

/// RFC 7515 section 5.1 with HMAC-SHA256.
std::string SignHs256(std::string_view header, std::string_view payload, std::string_view key);

}  // namespace latchkey::oauth::testing
