#pragma once

#include <string>
#include <string_view>

namespace latchkey::simulator {

/// Text for HTML content and attribute values.
std::string EscapeHtml(std::string_view text);
/// The first letter of a name, whole even when it takes several bytes; escaped.
std::string InitialHtml(std::string_view name);
/// A server-made page without scripts: works in every browser and with every test tool. `provider` ("Google") is who
/// the page stands in for; `content` is HTML.
std::string HtmlPage(std::string_view provider, std::string_view title, std::string_view content);

}  // namespace latchkey::simulator
