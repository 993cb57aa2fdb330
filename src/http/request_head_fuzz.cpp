#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/chunked_body.hpp"
#include "http/request_head.hpp"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckTarget(std::string_view text) {
  const auto target = latchkey::http::ParseTarget(text);
  if (!target) return;
  const std::string path = target->path + "/";
  Require(path.starts_with('/'));
  Require(path.find("/../") == std::string::npos && path.find("/./") == std::string::npos);
  Require(path.find('\0') == std::string::npos && path.find('\\') == std::string::npos);
}

void CheckChunks(std::string_view bytes) {
  constexpr std::size_t kLimit = 1000;
  latchkey::http::ChunkedBody chunks(kLimit);
  // As a connection does it: what was not taken comes again, together with more.
  std::size_t begin = 0;
  for (std::size_t end = 1; end <= bytes.size() && !chunks.done(); ++end) {
    const auto used = chunks.Feed(bytes.substr(begin, end - begin));
    if (!used) return;
    begin += *used;
    Require(begin <= end && chunks.body().size() <= kLimit);
  }
}

}  // namespace

/// A head and, behind its empty line, a chunked body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find("\r\n\r\n");
  if (end != std::string_view::npos) CheckChunks(input.substr(end + 4));
  const std::string_view text = end == std::string_view::npos ? input : input.substr(0, end + 4);
  const auto head = latchkey::http::ParseRequestHead(text, latchkey::http::HeadLimits());
  if (!head) {
    Require(head.error().status >= 400 && head.error().status < 600);
    return 0;
  }
  Require(!(head->chunked && head->content_length));
  Require(head->fields.size() <= 100);
  for (const auto& [name, value] : head->fields) {
    Require(!name.empty() && name.find_first_of(std::string_view(" \t\r\n:\0", 6)) == std::string_view::npos);
    Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
  Require(head->target.starts_with('/') || head->target == "*");
  CheckTarget(head->target);
  return 0;
}
