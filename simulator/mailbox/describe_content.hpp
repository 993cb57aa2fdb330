#pragma once

#include <string_view>

#include <boost/json/object.hpp>

namespace latchkey::simulator {

/// The part of the oracle's view that a message's bytes tell, the same for every provider: subject, addresses,
/// messageId, date, hashes of text and HTML (SHA-256 in hex), attachments. Adds to `out`.
void DescribeContent(std::string_view raw, bool with_text, boost::json::object& out);

}  // namespace latchkey::simulator
