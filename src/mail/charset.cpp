#include "mail/charset.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include <simdjson.h>
#include <unicode/ucnv.h>

namespace latchkey::mail {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

/// Length of the valid UTF-8 sequence at `text[at]`, 0 when there is none (RFC 3629: no surrogates, no overlong forms).
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t count) {
    if (at + count >= text.size()) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!follows(2)) return 0;
    if (lead == 0xE0 && byte(at + 1) < 0xA0) return 0;
    if (lead == 0xED && byte(at + 1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!follows(3)) return 0;
    if (lead == 0xF0 && byte(at + 1) < 0x90) return 0;
    if (lead == 0xF4 && byte(at + 1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

std::string ReplaceInvalid(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = SequenceLength(text, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  return out;
}

/// Mail says "us-ascii" or "iso-8859-1" and means windows-1252, and a few names ICU does not know or reads otherwise.
std::string NormaliseName(std::string_view charset) {
  std::string name = AsciiLower(TrimAscii(charset));
  std::erase_if(name, [](char c) { return c == '"' || c == '\'' || static_cast<unsigned char>(c) <= ' '; });
  // RFC 2231 section 5: the language after '*' is not part of the name.
  name = name.substr(0, name.find('*'));
  if (name.size() > 40) return {};
  if (name == "utf8" || name == "utf-8" || name == "unicode-1-1-utf-8" || name == "cp65001") return "utf-8";
  if (name == "us-ascii" || name == "ascii" || name == "ansi_x3.4-1968" || name == "iso-8859-1" ||
      name == "iso8859-1" || name == "latin1" || name == "iso_8859-1" || name == "cp1252" || name == "x-ansi") {
    return "windows-1252";
  }
  if (name == "iso-8859-9" || name == "latin5") return "windows-1254";
  if (name == "iso-8859-11" || name == "tis-620") return "windows-874";
  if (name == "gb2312" || name == "gbk" || name == "x-gbk" || name == "cp936") return "gb18030";
  if (name == "ks_c_5601-1987" || name == "euc-kr" || name == "ksc5601" || name == "ks_c_5601") return "windows-949";
  if (name == "shift_jis" || name == "shift-jis" || name == "sjis" || name == "x-sjis") return "windows-31j";
  if (name == "iso-8859-8-i" || name == "iso-8859-8-e") return "iso-8859-8";
  if (name == "big5") return "windows-950";
  return name;
}

/// The thread's converter for `name`: opening one costs more than converting a header, and mail repeats charsets.
UConverter* FindConverter(const std::string& name) {
  thread_local std::string open_name;
  thread_local Converter open;
  if (open && open_name == name) {
    ucnv_reset(open.get());
    return open.get();
  }
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &status));
  if (U_FAILURE(status) || !converter) return nullptr;
  open = std::move(converter);
  open_name = name;
  return open.get();
}

std::optional<std::string> Convert(std::string_view bytes, const std::string& name) {
  UConverter* from = FindConverter(name);
  if (from == nullptr) return std::nullopt;
  thread_local Converter to = [] {
    UErrorCode status = U_ZERO_ERROR;
    return Converter(ucnv_open("UTF-8", &status));
  }();
  if (!to) return std::nullopt;
  ucnv_reset(to.get());
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2 + 16);
  char buffer[8192];
  UChar pivot[2048];
  UChar* pivot_source = pivot;
  UChar* pivot_target = pivot;
  const char* source = bytes.data();
  const char* const source_end = bytes.data() + bytes.size();
  UBool reset = 1;
  while (true) {
    char* target = buffer;
    UErrorCode status = U_ZERO_ERROR;
    ucnv_convertEx(to.get(), from, &target, buffer + sizeof(buffer), &source, source_end, pivot, &pivot_source,
                   &pivot_target, pivot + 2048, reset, 1, &status);
    reset = 0;
    out.append(buffer, static_cast<std::size_t>(target - buffer));
    if (status == U_BUFFER_OVERFLOW_ERROR) continue;
    if (U_FAILURE(status)) return std::nullopt;
    return out;
  }
}

bool IsAsciiCompatibleClaim(const std::string& name) { return name.empty() || name == "windows-1252"; }

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool AsciiEqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view TrimAscii(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string CleanUtf8(std::string text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) text = ReplaceInvalid(text);
  if (text.find('\0') != std::string::npos) std::erase(text, '\0');
  // Line by line, not byte by byte: nearly all mail has CRLF, and the lines themselves only move.
  if (std::size_t at = text.find('\r'); at != std::string::npos) {
    std::size_t out = at;
    while (at < text.size()) {
      if (at + 1 >= text.size() || text[at + 1] != '\n') text[out++] = '\n';
      std::size_t next = text.find('\r', at + 1);
      if (next == std::string::npos) next = text.size();
      std::memmove(text.data() + out, text.data() + at + 1, next - at - 1);
      out += next - at - 1;
      at = next;
    }
    text.resize(out);
  }
  return text;
}

std::string ToUtf8(std::string_view bytes, std::string_view charset) {
  const std::string name = NormaliseName(charset);
  // Escape sequences under an ASCII claim are ISO-2022-JP in practice.
  if (IsAsciiCompatibleClaim(name) &&
      (bytes.find("\x1B$B") != std::string_view::npos || bytes.find("\x1B$@") != std::string_view::npos)) {
    if (auto text = Convert(bytes, "iso-2022-jp")) return CleanUtf8(std::move(*text));
  }
  // Text that is valid UTF-8 with a letter beyond ASCII is hardly ever anything else, whatever it claims to be; the
  // stateful and multi-byte charsets keep their word.
  if (IsAsciiCompatibleClaim(name) || name == "utf-8") {
    if (simdjson::validate_utf8(bytes.data(), bytes.size())) return CleanUtf8(std::string(bytes));
    if (name == "utf-8") {
      // Truly UTF-8 with damage, or a wrong claim: mostly valid text keeps its good characters.
      std::size_t broken = 0, multi = 0;
      for (std::size_t i = 0; i < bytes.size();) {
        const std::size_t length = SequenceLength(bytes, i);
        if (length == 0) ++broken;
        if (length > 1) ++multi;
        i += length == 0 ? 1 : length;
      }
      if (multi >= broken) return CleanUtf8(std::string(bytes));
    }
    if (auto text = Convert(bytes, "windows-1252")) return CleanUtf8(std::move(*text));
    return CleanUtf8(std::string(bytes));
  }
  if (auto text = Convert(bytes, name)) return CleanUtf8(std::move(*text));
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return CleanUtf8(std::string(bytes));
  if (auto text = Convert(bytes, "windows-1252")) return CleanUtf8(std::move(*text));
  return CleanUtf8(std::string(bytes));
}

std::string_view SniffHtmlCharset(std::string_view html) {
  html = html.substr(0, 1024);
  const std::string lower = AsciiLower(html);
  for (std::size_t at = lower.find("<meta"); at != std::string::npos; at = lower.find("<meta", at + 5)) {
    const std::size_t end = lower.find('>', at);
    const std::size_t found = lower.find("charset", at);
    if (found == std::string::npos || found > end) continue;
    std::size_t begin = found + 7;
    while (begin < html.size() &&
           (html[begin] == ' ' || html[begin] == '=' || html[begin] == '"' || html[begin] == '\''))
      ++begin;
    std::size_t stop = begin;
    while (stop < html.size() && (std::isalnum(static_cast<unsigned char>(html[stop])) != 0 || html[stop] == '-' ||
                                  html[stop] == '_' || html[stop] == ':'))
      ++stop;
    return html.substr(begin, stop - begin);
  }
  return {};
}

void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool TruncateUtf8(std::string& text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return false;
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  text.resize(max_bytes);
  return true;
}

}  // namespace latchkey::mail
