#include "api/input.hpp"

#include <algorithm>
#include <charconv>

namespace latchkey::api {

Result<int> QueryLimit(const Call& call) {
  const auto text = call.request.FindQuery("limit");
  if (!text) return 50;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > 100)
    return Fail(ErrorCode::kInvalidArgument, "limit is a number from 1 to 100");
  return value;
}

Result<std::string_view> QueryText(const Call& call, std::string_view name, std::size_t max) {
  const auto text = call.request.FindQuery(name).value_or("");
  if (text.size() > max) return Fail(ErrorCode::kInvalidArgument, "a query parameter is too long");
  return text;
}

Result<std::vector<connected_accounts::Capability>> ParseCapabilities(const std::vector<std::string>& names) {
  std::vector<connected_accounts::Capability> out;
  for (const auto& name : names) {
    const auto capability = connected_accounts::ParseCapability(name);
    if (!capability) return Fail(ErrorCode::kInvalidArgument, "a capability is not known");
    if (std::ranges::find(out, *capability) != out.end())
      return Fail(ErrorCode::kInvalidArgument, "a capability is repeated");
    out.push_back(*capability);
  }
  return out;
}

Result<std::string> ParseMode(std::optional<std::string_view> text) {
  if (!text) return "page";
  if (*text != "popup" && *text != "page") return Fail(ErrorCode::kInvalidArgument, "mode is popup or page");
  return std::string(*text);
}

}  // namespace latchkey::api
