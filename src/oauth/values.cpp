#include "oauth/values.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"

namespace latchkey::oauth {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kTokenLength = 43;

bool IsBase64UrlCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool IsUnreserved(char c) { return IsBase64UrlCharacter(c) || c == '.' || c == '~'; }

}  // namespace

std::string_view ToString(Flow flow) { return flow == Flow::kSignIn ? "sign_in" : "connect"; }

PkceVerifier PkceVerifier::Generate() { return PkceVerifier(RandomToken(kRandomBytes)); }

Result<PkceVerifier> PkceVerifier::Parse(std::string_view text) {
  if (text.size() < 43 || text.size() > 128 || !std::ranges::all_of(text, IsUnreserved)) {
    return Fail(ErrorCode::kInvalidArgument, "not a PKCE verifier");
  }
  return PkceVerifier(std::string(text));
}

PkceChallenge PkceVerifier::Challenge() const { return PkceChallenge(Base64UrlEncode(crypto::Sha256(text_.Reveal()))); }

template <class Tag>
Unguessable<Tag> Unguessable<Tag>::Generate() {
  return Unguessable(RandomToken(kRandomBytes));
}

template <class Tag>
Result<Unguessable<Tag>> Unguessable<Tag>::Parse(std::string_view text) {
  if (text.size() != kTokenLength || !std::ranges::all_of(text, IsBase64UrlCharacter)) {
    return Fail(ErrorCode::kInvalidArgument, "not a value of ours");
  }
  return Unguessable(std::string(text));
}

template class Unguessable<StateTag>;
template class Unguessable<NonceTag>;

std::string HashOf(const State& state) { return crypto::Sha256Hex(state.text()); }

}  // namespace latchkey::oauth
