#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oauth/email_address.hpp"
#include "oauth/provider_url.hpp"
#include "oauth/transaction.hpp"

using namespace latchkey;

/// What a browser or a claim can say: return paths, addresses, names, redirect parameters, transaction cookies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::string path = oauth::SafeReturnPath(input);
  if (path.empty() || path[0] != '/' || path.starts_with("//") || path.contains('\\') || path.contains('\n')) {
    std::abort();
  }
  if (const auto address = oauth::EmailAddress::Parse(input)) {
    const auto again = oauth::EmailAddress::Parse(address->text());
    if (!again || *again != *address || address->text().contains('\0')) std::abort();
  }
  const std::string clean = oauth::CleanDisplayText(input, 100);
  if (clean.size() > 100 || oauth::CleanDisplayText(clean, 100) != clean) std::abort();
  (void)oauth::IssuerOf(input);
  static const oauth::Transactions transactions(
      crypto::SealedBox(SecretString("fuzz key 8f0c2b9d8e1a6f3052c7d8e9fa0b1c2d"), "fuzz"), true);
  oauth::CallbackRequest callback;
  callback.provider = "google";
  callback.query = {{"state", std::string(43, 'A')}, {"code", input}};
  callback.cookie = [&](std::string_view) { return std::optional<std::string>(input); };
  if (transactions.Open(callback, oauth::Flow::kSignIn, FromMicros(0))) std::abort();
  return 0;
}
