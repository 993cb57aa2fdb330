#pragma once

#include <expected>
#include <string>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/mail_service.hpp"

namespace latchkey::simulator {

/// Reads a message of the control API in any of its three forms (eml, raw, parts); see README.md. The error is a
/// sentence.
std::expected<IncomingMessage, std::string> ComposeMessage(const boost::json::object& description, Instant now);

}  // namespace latchkey::simulator
