#include "simulator/mime/transfer.hpp"

#include <array>
#include <cstdint>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> MakeBase64Table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNone);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  table['-'] = 62;
  table['_'] = 63;
  return table;
}
constexpr auto kBase64 = MakeBase64Table();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

TransferEncoding ParseTransferEncoding(std::string_view value) {
  std::string name;
  for (char c : value) {
    if (c == ';' || c == '(') break;
    if (!IsSpace(c) && c != '"') name.push_back(LowerChar(c));
    if (name.size() > 32) break;
  }
  if (name == "base64") return TransferEncoding::kBase64;
  if (name == "quoted-printable") return TransferEncoding::kQuotedPrintable;
  if (name == "uuencode" || name == "x-uuencode" || name == "x-uue" || name == "uue") {
    return TransferEncoding::kUuencode;
  }
  return TransferEncoding::kIdentity;
}

void AppendBase64Decoded(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  out.resize(start + text.size() / 4 * 3 + 3);
  auto* target = reinterpret_cast<std::uint8_t*>(out.data()) + start;
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  std::uint32_t group = 0;
  int filled = 0;
  while (p < end) {
    if (filled == 0) {
      while (end - p >= 4) {
        const std::uint32_t a = kBase64[p[0]], b = kBase64[p[1]], c = kBase64[p[2]], d = kBase64[p[3]];
        if ((a | b | c | d) & 0x80) break;
        const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        target[0] = static_cast<std::uint8_t>(bits >> 16);
        target[1] = static_cast<std::uint8_t>(bits >> 8);
        target[2] = static_cast<std::uint8_t>(bits);
        target += 3;
        p += 4;
      }
      if (p >= end) break;
    }
    const unsigned char c = *p++;
    if (c == '=') {
      if (filled >= 2) *target++ = static_cast<std::uint8_t>(group >> (filled == 2 ? 4 : 10));
      if (filled == 3) *target++ = static_cast<std::uint8_t>(group >> 2);
      filled = 0;
      group = 0;
      continue;
    }
    const std::uint8_t value = kBase64[c];
    if (value == kNone) continue;
    group = group << 6 | value;
    if (++filled == 4) {
      *target++ = static_cast<std::uint8_t>(group >> 16);
      *target++ = static_cast<std::uint8_t>(group >> 8);
      *target++ = static_cast<std::uint8_t>(group);
      filled = 0;
      group = 0;
    }
  }
  if (filled >= 2) *target++ = static_cast<std::uint8_t>(group >> (filled == 2 ? 4 : 10));
  if (filled == 3) *target++ = static_cast<std::uint8_t>(group >> 2);
  out.resize(static_cast<std::size_t>(reinterpret_cast<char*>(target) - out.data()));
}

void AppendQuotedPrintableDecoded(std::string& out, std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t eol = text.find('\n', i);
    const bool has_eol = eol != std::string_view::npos;
    if (!has_eol) eol = text.size();
    std::size_t line_end = eol;
    const bool crlf = has_eol && line_end > i && text[line_end - 1] == '\r';
    if (crlf) --line_end;
    while (line_end > i && (text[line_end - 1] == ' ' || text[line_end - 1] == '\t')) --line_end;
    bool soft = false;
    while (i < line_end) {
      const std::string_view rest = text.substr(i, line_end - i);
      const std::size_t equals = rest.find('=');
      out.append(rest.substr(0, equals));
      if (equals == std::string_view::npos) break;
      i += equals;
      if (i + 1 == line_end) {
        soft = true;
        break;
      }
      const int high = HexValue(text[i + 1]);
      const int low = i + 2 < line_end ? HexValue(text[i + 2]) : -1;
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 3;
      } else {
        out.push_back('=');
        ++i;
      }
    }
    if (!soft && has_eol) out.append(crlf ? "\r\n" : "\n");
    i = eol + 1;
  }
}

void AppendUudecoded(std::string& out, std::string_view text) {
  const bool has_begin = text.starts_with("begin ") || text.find("\nbegin ") != std::string_view::npos;
  bool inside = !has_begin;
  while (!text.empty()) {
    const std::size_t eol = text.find('\n');
    std::string_view line = text.substr(0, eol);
    text = eol == std::string_view::npos ? std::string_view() : text.substr(eol + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!inside) {
      inside = line.starts_with("begin ");
      continue;
    }
    if (line == "end") return;
    if (line.empty()) continue;
    const std::size_t length = (static_cast<unsigned char>(line[0]) - 32U) & 63U;
    std::size_t written = 0;
    for (std::size_t i = 1; i < line.size() && written < length; i += 4) {
      std::uint32_t bits = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        const unsigned char c = i + j < line.size() ? static_cast<unsigned char>(line[i + j]) : ' ';
        bits = bits << 6 | ((c - 32U) & 63U);
      }
      for (int shift = 16; shift >= 0 && written < length; shift -= 8, ++written) {
        out.push_back(static_cast<char>(bits >> shift & 0xFF));
      }
    }
  }
}

std::string DecodeTransfer(std::string_view body, TransferEncoding encoding) {
  std::string out;
  switch (encoding) {
    case TransferEncoding::kIdentity:
      return std::string(body);
    case TransferEncoding::kBase64:
      AppendBase64Decoded(out, body);
      return out;
    case TransferEncoding::kQuotedPrintable:
      out.reserve(body.size());
      AppendQuotedPrintableDecoded(out, body);
      return out;
    case TransferEncoding::kUuencode:
      AppendUudecoded(out, body);
      return out;
  }
  return out;
}

}  // namespace latchkey::simulator::mime
