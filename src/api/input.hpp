#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "connected_accounts/account.hpp"

/// Decoding of path and query values, with the same answers everywhere.
namespace latchkey::api {

/// `{id}`: kNotFound for text that is no id, so that a probe learns nothing.
template <class IdType>
Result<IdType> PathId(const Call& call, std::string_view name = "id") {
  auto id = IdType::Parse(call.request.PathParameter(name));
  if (!id) return Fail(ErrorCode::kNotFound, "not an id");
  return std::move(*id);
}

/// An optional query parameter that is an id; empty id when absent. kInvalidArgument otherwise.
template <class IdType>
Result<IdType> QueryId(const Call& call, std::string_view name) {
  const auto text = call.request.FindQuery(name);
  if (!text) return IdType();
  auto id = IdType::Parse(*text);
  if (!id) return Fail(ErrorCode::kInvalidArgument, "a query parameter is no id");
  return std::move(*id);
}

/// `limit`, 1 to 100, 50 when absent.
Result<int> QueryLimit(const Call& call);
/// A query parameter of at most `max` bytes; empty when absent.
Result<std::string_view> QueryText(const Call& call, std::string_view name, std::size_t max);

/// Names of capabilities, each once. kInvalidArgument.
Result<std::vector<connected_accounts::Capability>> ParseCapabilities(const std::vector<std::string>& names);
/// "popup" or "page"; "page" when absent.
Result<std::string> ParseMode(std::optional<std::string_view> text);

}  // namespace latchkey::api
