// RFC 2047, as generously as mail needs it: encoded words inside quoted strings, without blanks around them, with
// blanks in them, and characters that are split between two words.
#include <optional>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator::mime {
namespace {

struct EncodedWord {
  std::string charset;
  std::string bytes;
  std::size_t length = 0;  ///< From "=?" to "?=" in the source.
};

/// Finds encoded words in one text. Remembers that no terminator is left, so that a text full of openings stays linear.
class EncodedWordReader {
 public:
  explicit EncodedWordReader(std::string_view text) : text_(text) {}

  /// The word that begins at `at`, if one does.
  std::optional<EncodedWord> At(std::size_t at) {
    // Longest registered charset name with a language tag is far below this.
    constexpr std::size_t kMaxCharset = 64;
    if (no_terminator_ || text_.substr(at, 2) != "=?") return std::nullopt;
    std::size_t question = at + 2;
    while (question < text_.size() && question < at + 2 + kMaxCharset && text_[question] != '?' &&
           !IsSpace(text_[question])) {
      ++question;
    }
    if (question >= text_.size() || text_[question] != '?' || question + 2 >= text_.size()) return std::nullopt;
    const char encoding = LowerChar(text_[question + 1]);
    if ((encoding != 'q' && encoding != 'b') || text_[question + 2] != '?') return std::nullopt;
    const std::size_t begin = question + 3;
    const std::size_t end = text_.find("?=", begin);
    if (end == std::string_view::npos) {
      no_terminator_ = true;
      return std::nullopt;
    }
    EncodedWord word;
    const std::string_view label = text_.substr(at + 2, question - at - 2);
    word.charset = Lower(label.substr(0, label.find('*')));  // RFC 2231 section 5: charset*language
    word.length = end + 2 - at;
    const std::string_view payload = text_.substr(begin, end - begin);
    if (encoding == 'b') {
      AppendBase64Decoded(word.bytes, payload);
    } else {
      AppendQ(word.bytes, payload);
    }
    return word;
  }

 private:
  static int Hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }
  static void AppendQ(std::string& out, std::string_view payload) {
    for (std::size_t i = 0; i < payload.size(); ++i) {
      if (payload[i] == '_') {
        out.push_back(' ');
      } else if (payload[i] == '=' && i + 2 < payload.size() && Hex(payload[i + 1]) >= 0 && Hex(payload[i + 2]) >= 0) {
        out.push_back(static_cast<char>(Hex(payload[i + 1]) * 16 + Hex(payload[i + 2])));
        i += 2;
      } else {
        out.push_back(payload[i]);
      }
    }
  }

  std::string_view text_;
  bool no_terminator_ = false;
};

/// The encoded words from `at` on that belong together (nothing but blanks between them), decoded; advances `at`.
std::optional<std::string> DecodeRun(EncodedWordReader& reader, std::string_view text, std::size_t& at) {
  std::optional<EncodedWord> word = reader.At(at);
  if (!word) return std::nullopt;
  std::string out;
  std::string charset = word->charset;
  std::string bytes;  // Of all words since the charset last changed: a character may be split between two words.
  while (word) {
    if (word->charset != charset) {
      out += ToUtf8(bytes, charset);
      bytes.clear();
      charset = word->charset;
    }
    bytes += word->bytes;
    at += word->length;
    std::size_t next = at;
    while (next < text.size() && IsSpace(text[next])) ++next;
    word = next < text.size() ? reader.At(next) : std::nullopt;
    if (word) at = next;
  }
  out += ToUtf8(bytes, charset);
  return out;
}

std::string EightBitToUtf8(std::string text) {
  if (IsValidUtf8(text)) return text;
  return ToUtf8(text, "utf-8");
}

/// Blanks that a decoded text may bring along would break the line structure of whoever prints it.
void AppendOneLine(std::string& out, std::string_view text) {
  for (char c : text) out.push_back(c == '\r' || c == '\n' ? ' ' : c);
}

bool NeedsQuotes(std::string_view phrase) { return phrase.find_first_of("()<>[]:;@\\,\".") != std::string_view::npos; }

void AppendEscaped(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c == '\r' || c == '\n' ? ' ' : c);
  }
}

}  // namespace

std::string DecodeText(std::string_view raw) {
  const std::string text = EightBitToUtf8(Unfold(raw));
  if (text.find("=?") == std::string::npos) return text;
  EncodedWordReader reader(text);
  std::string out;
  out.reserve(text.size());
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '=') {
      if (const std::optional<std::string> decoded = DecodeRun(reader, text, i)) {
        AppendOneLine(out, *decoded);
        continue;
      }
    }
    const std::size_t next = text.find('=', i + 1);
    out.append(text, i, next == std::string::npos ? next : next - i);
    if (next == std::string::npos) break;
    i = next;
  }
  return out;
}

std::string DecodeAddressText(std::string_view raw) {
  const std::string text = EightBitToUtf8(Unfold(raw));
  if (text.find("=?") == std::string::npos) return text;
  EncodedWordReader reader(text);
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '=') {
      if (const std::optional<std::string> decoded = DecodeRun(reader, text, i)) {
        if (quoted) {
          AppendEscaped(out, *decoded);
        } else if (NeedsQuotes(*decoded)) {
          out.push_back('"');
          AppendEscaped(out, *decoded);
          out.push_back('"');
        } else {
          AppendOneLine(out, *decoded);
        }
        continue;
      }
    } else if (c == '\\' && quoted && i + 1 < text.size()) {
      out.push_back(c);
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    }
    out.push_back(text[i++]);
  }
  return out;
}

}  // namespace latchkey::simulator::mime
