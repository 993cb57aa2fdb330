#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "http/request_head.hpp"

namespace latchkey::http {

/// Decodes a chunked request body with Beast's parser, and refuses what Beast lets pass: trailers, which it would merge
/// into the header section, and chunk extensions, which nobody sends us.
class ChunkedBody {
 public:
  /// `limit`: decoded bytes; beyond: 413.
  explicit ChunkedBody(std::size_t limit);
  ~ChunkedBody();

  /// Takes a prefix of `bytes` and returns how much. The rest belongs to the next call, together with what arrives by
  /// then; after done() it belongs to the next request.
  std::expected<std::size_t, Refusal> Feed(std::string_view bytes);
  bool done() const;
  std::string& body();

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace latchkey::http
