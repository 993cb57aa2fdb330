#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// An error answer in the shape the provider sends it, by name ("gmail.rateLimitExceeded.403",
/// "microsoft.token.error.50076.mfa.400"). `retry_at` is the instant in
/// those texts that name one. nullopt for an unknown name.
std::optional<Response> MakePayload(std::string_view name, Instant retry_at);

std::vector<std::string> PayloadNames();

/// As those texts write it, with milliseconds: "2026-09-11T20:00:00.000Z".
std::string FormatRetryInstant(Instant instant);

}  // namespace latchkey::simulator
