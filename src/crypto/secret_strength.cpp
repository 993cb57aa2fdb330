#include "crypto/secret_strength.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

namespace latchkey::crypto {
namespace {

constexpr std::size_t kMinimumBytes = 32;
constexpr std::size_t kMinimumDistinct = 8;
/// Lower case; a secret that contains one of them came out of a guide. "your_jwt_secret_key_change_in_production" is
/// the one of the guide this project began with.
constexpr auto kSampleParts = std::to_array<std::string_view>({
    "your_",
    "your-",
    "change_in_production",
    "change-in-production",
    "changeme",
    "change_me",
    "change-me",
    "change_this",
    "change-this",
    "replace_me",
    "replace-me",
    "replace_this",
    "replace-this",
    "supersecret",
    "super-secret",
    "super_secret",
    "secret_key_here",
    "secret-key-here",
    "generate_with",
    "placeholder",
    "0123456789abcdef0123456789abcdef",
    "00112233445566778899aabbccddeeff",
    "mysecret",
    "my-secret",
    "my_secret",
    "example",
    "password",
});

}  // namespace

Result<void> CheckSecretStrength(const SecretString& secret) {
  const std::string& text = secret.Reveal();
  if (text.size() < kMinimumBytes) {
    return Fail(ErrorCode::kInvalidArgument, "is shorter than 32 bytes");
  }
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view part : kSampleParts) {
    if (lower.find(part) != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "is a sample value, not a secret");
    }
  }
  if (std::set<char>(text.begin(), text.end()).size() < kMinimumDistinct) {
    return Fail(ErrorCode::kInvalidArgument, "repeats a few characters");
  }
  return {};
}

}  // namespace latchkey::crypto
