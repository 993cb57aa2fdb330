#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "mail/html_text.hpp"
#include "mail/html_view.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  latchkey::mail::HtmlViewOptions options;
  const auto view = latchkey::mail::RenderHtmlBody(input, options);
  const std::string& document = view.document;
  if (!simdjson::validate_utf8(document)) std::abort();
  // Every '<' of the document begins a tag of ours: a letter or a slash and a letter, or the doctype.
  for (std::size_t at = document.find('<'); at != std::string::npos; at = document.find('<', at + 1)) {
    const char next = document[at + 1];
    if (!(next == '/' || next == '!' || (next >= 'a' && next <= 'z'))) std::abort();
    const std::string_view rest = std::string_view(document).substr(at);
    if (rest.starts_with("<script") || rest.starts_with("<iframe") || rest.starts_with("<link") ||
        rest.starts_with("<svg") || rest.starts_with("<object") || rest.starts_with("<base")) {
      std::abort();
    }
  }
  if (!simdjson::validate_utf8(latchkey::mail::HtmlToText(input))) std::abort();
  if (!simdjson::validate_utf8(latchkey::mail::RenderTextBody(input).document)) std::abort();
  return 0;
}
