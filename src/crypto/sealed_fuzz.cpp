#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/fernet.hpp"
#include "crypto/sealed_box.hpp"
#include "crypto/vault.hpp"

using namespace latchkey;

/// Sealed text from outside opens only if it was sealed here, which no input was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // Keys that no input of the corpus was made with.
  static const crypto::SealedBox box(SecretString("fuzz key 8f0c2b9d8e1a6f3052c7d8e9fa0b1c2d"), "fuzz");
  static const crypto::Vault vault = crypto::Vault::Make({SecretString(std::string(32, '\x7b'))}).value();
  static const Instant now = FromMicros(1'800'000'000'000'000);
  constexpr crypto::SealContext kContext{
      .table = "t", .column = "c", .account_id = "a", .user_id = "u", .provider = "p"};
  if (box.Open(input, now)) std::abort();
  if (vault.Open(kContext, input)) std::abort();
  if (vault.VerifyCheckValue(input)) std::abort();
  if (crypto::FernetOpen(std::string(32, '\x7b'), input)) std::abort();
  (void)crypto::Vault::ParseKey(input);
  return 0;
}
