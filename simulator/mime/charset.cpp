#include "simulator/mime/charset.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>

#include <unicode/ucnv.h>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

struct Alias {
  std::string_view from;
  const char* to;
};
// Supersets (as in the WHATWG encoding standard) for labels whose users mean the larger set, and common misspellings.
constexpr Alias kAliases[] = {
    {"us-ascii", "windows-1252"},
    {"ascii", "windows-1252"},
    {"iso-8859-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"latin1", "windows-1252"},
    {"latin-1", "windows-1252"},
    {"ansi", "windows-1252"},
    {"ansi_x3.4-1968", "windows-1252"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"gb_2312-80", "gb18030"},
    {"x-gbk", "gb18030"},
    {"ks_c_5601-1987", "windows-949"},
    {"ks_c_5601", "windows-949"},
    {"euc-kr", "windows-949"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
    {"utf8", "utf-8"},
    {"utf-8n", "utf-8"},
    {"unicode-1-1-utf-7", "utf-7"},
    {"x-unicode-2-0-utf-7", "utf-7"},
    {"cp-850", "cp850"},
    {"x-sjis", "windows-31j"},
    {"shift_jis", "windows-31j"},
    {"shift-jis", "windows-31j"},
    {"sjis", "windows-31j"},
    {"iso-2022-jp", "iso-2022-jp-2"},
    {"big5-hkscs", "big5-hkscs"},
};

bool IsAscii(std::string_view bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    if (word & 0x8080808080808080ULL) return false;
  }
  for (; i < bytes.size(); ++i) {
    if (static_cast<unsigned char>(bytes[i]) >= 0x80) return false;
  }
  return true;
}

/// nullptr when ICU does not know the name. The pointer stays valid for the thread's life.
UConverter* FindConverter(const std::string& name) {
  // Mail names about a hundred charsets; hostile mail may name endlessly many, so the cache starts over at a bound.
  constexpr std::size_t kMaxConverters = 128;
  thread_local std::map<std::string, Converter> cache;
  if (const auto found = cache.find(name); found != cache.end()) return found->second.get();
  if (cache.size() >= kMaxConverters) cache.clear();
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &status));
  if (U_FAILURE(status)) converter.reset();
  return cache.emplace(name, std::move(converter)).first->second.get();
}

std::string Convert(UConverter* from, std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* utf8 = FindConverter("utf-8");
  ucnv_reset(from);
  ucnv_reset(utf8);
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  std::array<char, 4096> buffer;
  std::array<UChar, 1024> pivot;
  UChar* pivot_source = pivot.data();
  UChar* pivot_target = pivot.data();
  const char* source = bytes.data();
  const char* const end = source + bytes.size();
  UBool first = true;
  do {
    status = U_ZERO_ERROR;
    char* target = buffer.data();
    ucnv_convertEx(utf8, from, &target, buffer.data() + buffer.size(), &source, end, pivot.data(), &pivot_source,
                   &pivot_target, pivot.data() + pivot.size(), first, true, &status);
    first = false;
    out.append(buffer.data(), target);
  } while (status == U_BUFFER_OVERFLOW_ERROR);
  return out;
}

}  // namespace

bool IsValidUtf8(std::string_view bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = p + bytes.size();
  while (p < end) {
    if (end - p >= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      if (!(word & 0x8080808080808080ULL)) {
        p += 8;
        continue;
      }
    }
    const unsigned char lead = *p;
    if (lead < 0x80) {
      ++p;
      continue;
    }
    int more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    if (end - p <= more || p[1] < low || p[1] > high) return false;
    for (int i = 2; i <= more; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
    }
    p += more + 1;
  }
  return true;
}

std::string ToUtf8(std::string_view bytes, std::string_view charset) {
  // A name longer than any registered one is not worth asking ICU about.
  constexpr std::size_t kMaxName = 40;
  std::string name = Lower(Trim(charset.substr(0, kMaxName)));
  for (const Alias& alias : kAliases) {
    if (name == alias.from) {
      name = alias.to;
      break;
    }
  }
  const bool stateful = name.starts_with("iso-2022") || name.starts_with("utf-7") || name.starts_with("utf-16") ||
                        name.starts_with("utf-32") || name.starts_with("hz") || name.starts_with("imap");
  if (!stateful && IsAscii(bytes)) return std::string(bytes);
  if (name == "utf-8" && IsValidUtf8(bytes)) return std::string(bytes);
  UConverter* converter = name.empty() ? nullptr : FindConverter(name);
  if (converter == nullptr) {
    if (IsValidUtf8(bytes)) return std::string(bytes);
    converter = FindConverter("windows-1252");
  }
  return Convert(converter, bytes);
}

}  // namespace latchkey::simulator::mime
