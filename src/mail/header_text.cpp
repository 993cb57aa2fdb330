#include "mail/header_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/encoding.hpp"
#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct EncodedWord {
  std::string_view charset, data;
  bool base64 = false;
  std::size_t length = 0;
};

/// RFC 2047 section 2, read generously: blanks inside a Q word are let through (many senders forget to encode them) but
/// never a line end, and a word of at most 2,000 bytes bounds the search.
EncodedWord FindWord(std::string_view text) {
  EncodedWord word;
  if (!text.starts_with("=?")) return word;
  text = text.substr(0, 2000);
  std::size_t at = 2;
  while (at < text.size() && at < 60 && text[at] != '?' && !IsBlank(text[at])) ++at;
  if (at + 2 >= text.size() || at == 2 || text[at] != '?' || text[at + 2] != '?') return word;
  const char encoding = text[at + 1];
  const bool base64 = encoding == 'B' || encoding == 'b';
  if (!base64 && encoding != 'Q' && encoding != 'q') return word;
  const std::size_t data = at + 3;
  for (std::size_t i = data; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\r') return word;
    if (text[i] == '?') {
      if (i + 1 >= text.size() || text[i + 1] != '=') {
        if (base64) return word;
        continue;
      }
      word.charset = text.substr(2, at - 2);
      word.data = text.substr(data, i - data);
      word.base64 = base64;
      word.length = i + 2;
      return word;
    }
    if (base64 && IsBlank(text[i])) return word;
  }
  return word;
}

/// Base64 as found in headers: missing padding and stray bytes do not matter.
std::string LooseBase64(std::string_view text) {
  std::string clean;
  clean.reserve(text.size() + 3);
  for (const char c : text) {
    if (c == '-') {
      clean += '+';
    } else if (c == '_') {
      clean += '/';
    } else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/') {
      clean += c;
    }
  }
  if (clean.size() % 4 == 1) clean.pop_back();
  while (clean.size() % 4 != 0) clean += '=';
  // Bits past the last byte may be set; a strict decoder refuses them, so they are cleared.
  if (clean.ends_with("==")) {
    static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    clean[clean.size() - 3] = kAlphabet[kAlphabet.find(clean[clean.size() - 3]) & 0x30U];
  } else if (clean.ends_with("=")) {
    static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    clean[clean.size() - 2] = kAlphabet[kAlphabet.find(clean[clean.size() - 2]) & 0x3CU];
  }
  return Base64Decode(clean).value_or(std::string());
}

std::string DecodeQ(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out += ' ';
    } else if (text[i] == '=' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string DecodePercent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Blanks and controls in a row become one blank at line folds; other controls become blanks.
std::string CollapseControls(std::string text) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\r' || c == '\n') {
      // Unfolding: the line end and the blanks around it are one blank.
      while (out > 0 && text[out - 1] == ' ') --out;
      while (i + 1 < text.size() && IsBlank(text[i + 1])) ++i;
      text[out++] = ' ';
    } else if (c < 0x20 || c == 0x7F) {
      text[out++] = ' ';
    } else {
      text[out++] = text[i];
    }
  }
  text.resize(out);
  return text;
}

struct RawParameter {
  std::string_view name;
  std::string value;
};

/// Splits `a=b; c="d;e"` in one pass.
std::vector<RawParameter> SplitParameters(std::string_view text) {
  std::vector<RawParameter> result;
  std::size_t i = 0;
  while (i < text.size() && result.size() < 128) {
    while (i < text.size() && (IsBlank(text[i]) || text[i] == ';')) ++i;
    const std::size_t name_begin = i;
    while (i < text.size() && text[i] != '=' && text[i] != ';') ++i;
    RawParameter parameter;
    parameter.name = TrimAscii(text.substr(name_begin, i - name_begin));
    if (i < text.size() && text[i] == '=') {
      ++i;
      while (i < text.size() && IsBlank(text[i])) ++i;
      if (i < text.size() && text[i] == '"') {
        ++i;
        while (i < text.size() && text[i] != '"') {
          if (text[i] == '\\' && i + 1 < text.size()) ++i;
          parameter.value += text[i++];
        }
        while (i < text.size() && text[i] != ';') ++i;
      } else {
        const std::size_t begin = i;
        while (i < text.size() && text[i] != ';') ++i;
        parameter.value = TrimAscii(text.substr(begin, i - begin));
      }
    }
    if (!parameter.name.empty()) result.push_back(std::move(parameter));
  }
  return result;
}

}  // namespace

std::size_t EncodedWordLength(std::string_view text) { return FindWord(text).length; }

std::string DecodeHeaderText(std::string_view value) {
  value = TrimAscii(value.substr(0, 64 << 10));
  if (value.find("=?") == std::string_view::npos) {
    return CollapseControls(CleanUtf8(std::string(value)));
  }
  std::string out;
  out.reserve(value.size());
  std::string pending;          // Decoded bytes of neighbouring words in one charset, converted together.
  std::string pending_charset;  // A character may be split between them.
  std::string blanks;           // White space after an encoded word: dropped when another one follows.
  const auto flush = [&] {
    if (!pending.empty()) out += ToUtf8(pending, pending_charset);
    pending.clear();
  };
  bool after_word = false;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] == '=' && i + 1 < value.size() && value[i + 1] == '?') {
      const EncodedWord word = FindWord(value.substr(i));
      if (word.length > 0) {
        const std::string charset = AsciiLower(word.charset);
        if (!after_word) {
          out += blanks;
        }
        blanks.clear();
        if (charset != pending_charset) flush();
        pending_charset = charset;
        pending += word.base64 ? LooseBase64(word.data) : DecodeQ(word.data);
        after_word = true;
        i += word.length;
        continue;
      }
    }
    if (after_word && IsBlank(value[i])) {
      blanks += value[i++];
      continue;
    }
    flush();
    out += blanks;
    blanks.clear();
    after_word = false;
    const std::size_t next = value.find("=?", i + 1);
    const std::size_t end = next == std::string_view::npos ? value.size() : next;
    out += CleanUtf8(std::string(value.substr(i, end - i)));
    i = end;
  }
  flush();
  return std::string(TrimAscii(CollapseControls(std::move(out))));
}

ParameterisedValue ParseParameterised(std::string_view header) {
  const std::size_t end = header.find(';');
  ParameterisedValue result;
  result.value = AsciiLower(TrimAscii(header.substr(0, end)));
  // Comments after the type ("text/plain (by hand)") are not part of it.
  if (const std::size_t stop = result.value.find_first_of(" \t(\r\n"); stop != std::string::npos) {
    result.value.resize(stop);
  }
  if (end != std::string_view::npos) result.parameters = header.substr(end + 1);
  return result;
}

std::optional<std::string> FindParameter(std::string_view parameters, std::string_view name) {
  std::optional<std::string> plain;
  std::array<std::optional<std::string>, 64> pieces;
  std::array<bool, 64> encoded{};
  bool continued = false;
  for (RawParameter& parameter : SplitParameters(parameters)) {
    const std::size_t star = parameter.name.find('*');
    if (!AsciiEqualsIgnoreCase(parameter.name.substr(0, star), name)) continue;
    if (star == std::string_view::npos) {
      if (!plain) plain = std::move(parameter.value);
      continue;
    }
    std::string_view rest = parameter.name.substr(star + 1);
    std::size_t number = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 3 && rest[digits] >= '0' && rest[digits] <= '9') {
      number = number * 10 + static_cast<std::size_t>(rest[digits++] - '0');
    }
    const bool is_encoded = digits == 0 ? rest.empty() : rest.substr(digits) == "*";
    if (number >= pieces.size() || pieces[number]) continue;
    pieces[number] = std::move(parameter.value);
    encoded[number] = is_encoded;
    continued = true;
  }
  if (continued && pieces[0]) {
    std::string charset;
    std::string bytes;
    for (std::size_t i = 0; i < pieces.size() && pieces[i]; ++i) {
      std::string_view piece = *pieces[i];
      if (i == 0 && encoded[0]) {
        const std::size_t first = piece.find('\'');
        const std::size_t second = first == std::string_view::npos ? first : piece.find('\'', first + 1);
        if (second != std::string_view::npos) {
          charset = piece.substr(0, first);
          piece.remove_prefix(second + 1);
        }
      }
      bytes += encoded[i] ? DecodePercent(piece) : std::string(piece);
    }
    return CollapseControls(ToUtf8(bytes, charset));
  }
  if (!plain) return std::nullopt;
  return DecodeHeaderText(*plain);
}

std::string SafeFileName(std::string_view name) {
  // What remains after the last separator of either system is the name proper.
  std::string out;
  const std::string text = CleanUtf8(std::string(name));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) continue;
    // U+0080..U+009F controls; U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF: direction and invisible marks,
    // which make "exe.gpj" look like a picture.
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      ++i;
      continue;
    }
    if (c == 0xE2 && i + 2 < text.size()) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      const auto third = static_cast<unsigned char>(text[i + 2]);
      if ((second == 0x80 && ((third >= 0x8B && third <= 0x8F) || (third >= 0xA8 && third <= 0xAE))) ||
          (second == 0x81 && third >= 0xA0 && third <= 0xAF)) {
        i += 2;
        continue;
      }
    }
    if (c == 0xEF && text.compare(i, 3, "\xEF\xBB\xBF") == 0) {
      i += 2;
      continue;
    }
    out += c == '/' || c == '\\' ? '_' : text[i];
  }
  out = TrimAscii(out);
  if (out == "." || out == "..") out.clear();
  TruncateUtf8(out, 255);
  return out;
}

std::string StripAngles(std::string_view text) {
  text = TrimAscii(text);
  const std::size_t open = text.find('<');
  if (open != std::string_view::npos) {
    const std::size_t close = text.find('>', open);
    text = text.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
  }
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > ' ' && c != 0x7F) out += c;
  }
  TruncateUtf8(out, 998);
  return CleanUtf8(std::move(out));
}

}  // namespace latchkey::mail
