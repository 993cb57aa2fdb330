#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::mail {

/// What a page that shows a message's body needs to know.
struct HtmlViewOptions {
  /// Remote images stay out unless the person asked for them; then this says where a remote address is fetched through.
  /// Empty text: this one stays out.
  std::function<std::string(const std::string& url)> image_proxy;
  /// Further remote images stay out.
  std::size_t max_remote_images = 500;
  /// Content-IDs (without angle brackets) of the message's own inline parts, and the path that serves each.
  std::vector<std::pair<std::string, std::string>> inline_images;
  /// Input beyond this is not shown.
  std::size_t max_input_bytes = 4 << 20;
};

struct HtmlView {
  /// A complete document, UTF-8, to be served with the sandboxing Content-Security-Policy of the view route.
  std::string document;
  /// Remote images that were left out: the reader shows "Load images" when this is not 0.
  std::size_t blocked_images = 0;
  bool truncated = false;
};

/// Rebuilds a mail's HTML from an allow-list: every tag and attribute of the result was written by us, from parsed and
/// re-escaped pieces. Nothing in it loads anything when it is shown (scripts, frames, forms, style imports, url() and
/// remote images are gone); links are http, https or mailto and open apart. One pass, linear time, bounded depth; input
/// of any shape is fine. The second line of defence is the sandbox and policy of the frame it is shown in. Any thread.
HtmlView RenderHtmlBody(std::string_view html, const HtmlViewOptions& options);

/// The same for a plain body: paragraphs kept, addresses of pages and people made into links, quoted lines marked.
HtmlView RenderTextBody(std::string_view text, const HtmlViewOptions& options = {});

}  // namespace latchkey::mail
