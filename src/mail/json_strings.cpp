#include "mail/json_strings.hpp"

#include <charconv>
#include <cstring>

#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four digits of \uXXXX at `at`, -1 when they are none.
int CodeUnit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int unit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = HexDigit(text[at + i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/// RFC 8259 section 7; what is no valid escape becomes U+FFFD.
std::string Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        const int unit = CodeUnit(text, i + 1);
        if (unit < 0) {
          AppendUtf8(out, 0xFFFD);
          break;
        }
        i += 4;
        if (unit >= 0xD800 && unit < 0xDC00 && i + 2 < text.size() && text[i + 1] == '\\' && text[i + 2] == 'u') {
          const int low = CodeUnit(text, i + 3);
          if (low >= 0xDC00 && low < 0xE000) {
            i += 6;
            AppendUtf8(out, 0x10000 + (static_cast<std::uint32_t>(unit - 0xD800) << 10) +
                                static_cast<std::uint32_t>(low - 0xDC00));
            break;
          }
        }
        AppendUtf8(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : static_cast<std::uint32_t>(unit));
        break;
      }
      default:
        out += text[i];  // '"', '\\', '/'
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> JsonStrings::Read(simdjson::ondemand::value value) {
  simdjson::ondemand::raw_json_string raw;
  if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) return std::nullopt;
  // The first stage of simdjson has made sure that the string is closed.
  const char* const begin = raw.raw();
  const char* end = begin;
  bool escaped = false;
  while (true) {
    end = static_cast<const char*>(std::strchr(end, '"'));
    if (end == nullptr) return std::nullopt;
    std::size_t backslashes = 0;
    while (end - static_cast<std::ptrdiff_t>(backslashes) > begin &&
           end[-1 - static_cast<std::ptrdiff_t>(backslashes)] == '\\') {
      ++backslashes;
    }
    if (backslashes % 2 == 0) break;
    escaped = true;
    ++end;
  }
  const std::string_view text(begin, static_cast<std::size_t>(end - begin));
  if (!escaped && text.find('\\') == std::string_view::npos) return text;
  return unescaped_.emplace_back(Unescape(text));
}

std::optional<std::uint64_t> JsonStrings::ReadUnsigned(simdjson::ondemand::value value) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
  std::uint64_t number = 0;
  if (type == simdjson::ondemand::json_type::number) {
    if (value.get_uint64().get(number) != simdjson::SUCCESS) return std::nullopt;
    return number;
  }
  const auto text = Read(value);
  if (!text || text->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

simdjson::padded_string_view Padded(std::string& json) {
  json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(json.data(), json.size(), json.capacity());
}

simdjson::ondemand::parser& ThreadParser() {
  thread_local simdjson::ondemand::parser parser;
  return parser;
}

}  // namespace latchkey::mail
