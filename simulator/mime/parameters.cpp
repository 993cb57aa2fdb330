// Parameters of Content-Type and Content-Disposition: RFC 2045 section 5.1 with RFC 2231 continuations and charsets.
#include <algorithm>
#include <map>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

/// Reads "; name=value" pieces of one value from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return position_ >= text_.size(); }

  /// Text up to ';', without comments (RFC 5322 section 3.2.2).
  std::string Value() {
    std::string out;
    while (!AtEnd() && text_[position_] != ';') {
      if (text_[position_] == '(') {
        SkipComment();
      } else {
        out.push_back(text_[position_++]);
      }
    }
    return out;
  }

  /// Moves behind the next ';'. False at the end.
  bool NextPiece() {
    while (!AtEnd() && text_[position_] != ';') ++position_;
    if (AtEnd()) return false;
    ++position_;
    SkipBlanks();
    return true;
  }

  /// The text before '=', or "" when the piece has none.
  std::string Name() {
    const std::size_t start = position_;
    while (!AtEnd() && text_[position_] != '=' && text_[position_] != ';') ++position_;
    if (AtEnd() || text_[position_] == ';') return {};
    std::string name = Lower(Trim(text_.substr(start, position_ - start)));
    ++position_;
    SkipBlanks();
    return name;
  }

  std::string ParameterText() {
    std::string out;
    if (!AtEnd() && text_[position_] == '"') {
      ++position_;
      while (!AtEnd() && text_[position_] != '"') {
        if (text_[position_] == '\\' && position_ + 1 < text_.size()) ++position_;
        out.push_back(text_[position_++]);
      }
      if (!AtEnd()) ++position_;
      return out;
    }
    // Unquoted values with blanks in them are common ("name=my file.pdf"): everything up to ';' counts.
    const std::size_t start = position_;
    while (!AtEnd() && text_[position_] != ';') ++position_;
    return std::string(Trim(text_.substr(start, position_ - start)));
  }

 private:
  void SkipBlanks() {
    while (!AtEnd() && (IsSpace(text_[position_]))) ++position_;
  }
  void SkipComment() {
    int depth = 0;
    while (!AtEnd()) {
      const char c = text_[position_++];
      if (c == '\\' && !AtEnd()) {
        ++position_;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && Hex(text[i + 1]) >= 0 && Hex(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(Hex(text[i + 1]) * 16 + Hex(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct Segment {
  std::string text;
  bool extended = false;  ///< The name ended in '*': percent-encoded.
};

/// "name*3*" as {"name", 3, extended}. False when the name is an ordinary one.
bool SplitName(std::string_view full, std::string& base, int& index, bool& extended) {
  constexpr std::size_t kMaxDigits = 3;
  extended = full.ends_with('*');
  if (extended) full.remove_suffix(1);
  const std::size_t star = full.find('*');
  index = 0;
  base = std::string(full.substr(0, star));
  if (star == std::string_view::npos) return extended;
  const std::string_view digits = full.substr(star + 1);
  if (digits.empty() || digits.size() > kMaxDigits) return false;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    index = index * 10 + (c - '0');
  }
  return true;
}

std::string JoinSegments(const std::map<int, Segment>& segments) {
  std::string charset;
  std::string bytes;
  int expected = segments.begin()->first;
  for (const auto& [index, segment] : segments) {
    if (index != expected++) break;  // A hole ends the value.
    std::string_view text = segment.text;
    if (segment.extended && index == segments.begin()->first) {
      // charset'language'text
      const std::size_t first = text.find('\'');
      const std::size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
      if (second != std::string_view::npos) {
        charset = std::string(text.substr(0, first));
        text = text.substr(second + 1);
      }
    }
    bytes += segment.extended ? PercentDecoded(text) : std::string(text);
  }
  return ToUtf8(bytes, charset);
}

}  // namespace

ParameterisedValue ParseParameterised(std::string_view raw) {
  // Real values have a handful of parameters; RFC 2231 splits a long file name into a few dozen.
  constexpr int kMaxParameters = 200;
  const std::string text = Unfold(raw);
  Scanner scanner(text);
  ParameterisedValue result;
  result.value = Lower(Trim(scanner.Value()));
  std::map<std::string, std::map<int, Segment>> continued;
  int count = 0;
  while (scanner.NextPiece() && ++count <= kMaxParameters) {
    const std::string name = scanner.Name();
    if (name.empty()) continue;
    std::string value = scanner.ParameterText();
    std::string base;
    int index = 0;
    bool extended = false;
    if (SplitName(name, base, index, extended)) {
      continued[base].emplace(index, Segment{.text = std::move(value), .extended = extended});
    } else if (!result.Has(name)) {
      result.parameters.emplace_back(name, DecodeText(value));
    }
  }
  for (const auto& [name, segments] : continued) {
    // RFC 2231 section 4: the extended form wins over the plain one meant for old readers.
    std::erase_if(result.parameters, [&](const auto& pair) { return pair.first == name; });
    result.parameters.emplace_back(name, JoinSegments(segments));
  }
  return result;
}

}  // namespace latchkey::simulator::mime
