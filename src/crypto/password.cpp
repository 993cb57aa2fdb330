#include "crypto/password.hpp"

#include <sodium.h>

#include <new>
#include <stdexcept>

namespace latchkey::crypto {
namespace {

// OWASP's minimum for Argon2id.
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = 19 * 1024 * 1024;

void Initialise() {
  // Idempotent and thread safe; 1 means "was initialised before".
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
}

}  // namespace

std::string HashPassword(const SecretString& password) {
  Initialise();
  char hash[crypto_pwhash_STRBYTES];
  const std::string& text = password.Reveal();
  if (crypto_pwhash_str_alg(hash, text.data(), text.size(), kPasses, kMemory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();
  }
  return hash;
}

bool PasswordMatches(const SecretString& password, const std::string& hash) {
  Initialise();
  const std::string& text = password.Reveal();
  return hash.size() < crypto_pwhash_STRBYTES && crypto_pwhash_str_verify(hash.c_str(), text.data(), text.size()) == 0;
}

bool PasswordNeedsRehash(const std::string& hash) {
  Initialise();
  return hash.size() >= crypto_pwhash_STRBYTES || crypto_pwhash_str_needs_rehash(hash.c_str(), kPasses, kMemory) != 0;
}

}  // namespace latchkey::crypto
