#include "simulator/mime/message.hpp"

#include <algorithm>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

/// Splits bodies at boundaries. All lines of the message that could be a boundary ("--" at a line's start) are found in
/// one pass; each level then looks only at those inside its own range, which keeps deep nesting linear in the bytes.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view raw) : raw_(raw) {}

  void Fill(Part& part, std::string_view bytes, int depth, std::string_view default_type) {
    ++parts_;
    part.header = ParseHeaderBlock(bytes);
    part.body = bytes.substr(part.header.body_offset);
    const ParameterisedValue content_type = ParseParameterised(part.header.Get("Content-Type"));
    ReadContent(part, content_type, default_type);
    if (depth >= Message::kMaxDepth || parts_ >= Message::kMaxParts) return;
    if (part.type.starts_with("multipart/")) {
      const std::string boundary(TrimRight(content_type.Get("boundary")));
      if (!boundary.empty()) Split(part, boundary, depth);
    } else if (part.type == "message/rfc822" && part.encoding == TransferEncoding::kIdentity) {
      part.parts.emplace_back();
      Fill(part.parts.back(), part.body, depth + 1, "text/plain");
    }
  }

 private:
  /// Each level of nesting looks at the candidates in its range: this bounds the work of hostile mail.
  static constexpr std::size_t kMaxCandidates = 1'000'000;

  struct Candidate {
    std::size_t begin;  ///< Offset of "--".
    std::size_t end;    ///< Behind the last character of the line, without its line end.
    std::size_t next;   ///< Where the next line begins.
  };

  static std::string_view TrimRight(std::string_view text) {
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    return text;
  }

  void ReadContent(Part& part, const ParameterisedValue& content_type, std::string_view default_type) {
    const std::string_view type = content_type.value;
    const std::size_t slash = type.find('/');
    const bool readable = slash != std::string_view::npos && slash > 0 && slash + 1 < type.size() &&
                          type.find_first_of(" \t\"<>@,;:\\[]?=") == std::string_view::npos;
    part.type = readable ? std::string(type) : std::string(default_type);
    part.charset = Lower(content_type.Get("charset"));
    part.encoding = ParseTransferEncoding(part.header.Get("Content-Transfer-Encoding"));
    if (const std::string_view raw = part.header.Get("Content-Disposition"); !raw.empty()) {
      const ParameterisedValue disposition = ParseParameterised(raw);
      part.disposition = disposition.value;
      part.filename = disposition.Get("filename");
    }
    if (part.filename.empty()) part.filename = content_type.Get("name");
  }

  void FindCandidates() {
    if (searched_) return;
    searched_ = true;
    std::size_t position = 0;
    while (position < raw_.size()) {
      const std::size_t eol = raw_.find('\n', position);
      const std::size_t next = eol == std::string_view::npos ? raw_.size() : eol + 1;
      if (candidates_.size() < kMaxCandidates && raw_.substr(position, 2) == "--") {
        std::size_t end = eol == std::string_view::npos ? raw_.size() : eol;
        while (end > position && IsSpace(raw_[end - 1])) --end;
        candidates_.push_back({position, end, next});
      }
      position = next;
    }
  }

  void Split(Part& part, std::string_view boundary, int depth) {
    FindCandidates();
    const std::size_t begin = static_cast<std::size_t>(part.body.data() - raw_.data());
    const std::size_t end = begin + part.body.size();
    const std::string_view default_type = part.type == "multipart/digest" ? "message/rfc822" : "text/plain";
    constexpr std::size_t kOutside = static_cast<std::size_t>(-1);
    std::size_t part_begin = kOutside;
    const auto close = [&](std::size_t at) {
      if (part_begin == kOutside || parts_ >= Message::kMaxParts) return;
      // RFC 2046 section 5.1.1: the line end before the boundary belongs to the boundary.
      std::size_t stop = std::max(at, part_begin);
      if (stop > part_begin && stop < end && raw_[stop - 1] == '\n') --stop;
      if (stop > part_begin && raw_[stop - 1] == '\r') --stop;
      Part child;
      Fill(child, raw_.substr(part_begin, stop - part_begin), depth + 1, default_type);
      part.parts.push_back(std::move(child));
    };
    auto candidate = std::ranges::lower_bound(candidates_, begin, {}, [](const Candidate& line) { return line.begin; });
    // The recursion below may not add candidates, so the iterator stays valid.
    for (; candidate != candidates_.end() && candidate->begin < end; ++candidate) {
      const std::string_view line =
          raw_.substr(candidate->begin + 2, std::max(candidate->end, candidate->begin + 2) - candidate->begin - 2);
      if (!line.starts_with(boundary)) continue;
      const std::string_view tail = line.substr(boundary.size());
      if (tail == "--") {
        close(candidate->begin);
        return;
      }
      if (!tail.empty()) continue;
      close(candidate->begin);
      part_begin = std::min(candidate->next, end);
    }
    close(end);  // Never closed: the last part reaches to the end.
  }

  std::string_view raw_;
  bool searched_ = false;
  std::vector<Candidate> candidates_;
  std::size_t parts_ = 0;
};

}  // namespace

std::string Part::Text() const { return ToUtf8(Decoded(), charset); }

Message Message::Parse(std::string_view raw) {
  Message message;
  if (raw.find('\n') == std::string_view::npos && raw.find('\r') != std::string_view::npos) {
    message.normalised_ = std::make_unique<std::string>(raw);
    std::ranges::replace(*message.normalised_, '\r', '\n');
    raw = *message.normalised_;
  }
  TreeBuilder(raw).Fill(message.root_, raw, 0, "text/plain");
  return message;
}

std::string Message::Header(std::string_view name) const { return DecodeText(root_.header.Get(name)); }

}  // namespace latchkey::simulator::mime
