#include "identity/setup.hpp"

#include "base/random.hpp"
#include "crypto/hash.hpp"

namespace latchkey::identity {
namespace {

constexpr std::size_t kTokenLength = 43;

}  // namespace

Task<Result<std::optional<SecretString>>> OpenSetup(IdentityStore& store) {
  const auto open = co_await store.SetupOpen();
  if (!open) co_return Fail(open.error());
  if (!*open) co_return std::nullopt;
  SecretString token(RandomToken());
  const std::string hash = crypto::Sha256Hex(token.Reveal());
  const auto stored = co_await store.StoreSetupToken(hash);
  if (!stored) co_return Fail(stored.error());
  co_return std::optional<SecretString>(std::move(token));
}

Task<Result<bool>> SetupTokenIsOpen(IdentityStore& store, const SecretString& token) {
  if (token.Reveal().size() != kTokenLength) co_return false;
  const std::string hash = crypto::Sha256Hex(token.Reveal());
  co_return co_await store.CheckSetupToken(hash);
}

}  // namespace latchkey::identity
