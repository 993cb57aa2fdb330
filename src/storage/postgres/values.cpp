#include "storage/postgres/values.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "storage/postgres/failure.hpp"

namespace latchkey::storage::postgres {
namespace {

using std::chrono::microseconds;

// Instants count from 2000-01-01 there; the largest and the smallest number mean infinity.
constexpr std::int64_t kEpoch =
    microseconds(std::chrono::sys_days(std::chrono::year(2000) / 1 / 1).time_since_epoch()).count();
constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

template <class Number>
void Put(char* to, Number number) {
  using Bits = std::make_unsigned_t<Number>;
  Bits bits = static_cast<Bits>(number);
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    to[i] = static_cast<char>(bits & 0xff);
    if constexpr (sizeof(Number) > 1) bits >>= 8;
  }
}

template <class Number>
Number Take(std::string_view bytes) {
  std::make_unsigned_t<Number> bits = 0;
  for (const char byte : bytes)
    bits = static_cast<std::make_unsigned_t<Number>>((bits << 8) | static_cast<unsigned char>(byte));
  return static_cast<Number>(bits);
}

template <class Number>
bool Fits(std::int64_t number) {
  return number >= std::numeric_limits<Number>::min() && number <= std::numeric_limits<Number>::max();
}

/// How many bytes of valid UTF-8 other than NUL begin here: 0 when none.
std::size_t ValidSequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned char first = at(0);
  if (first < 0x80) return first != 0 ? 1 : 0;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool PutUuid(std::string_view text, std::array<char, 16>& to) {
  if (text.size() != 36) return false;
  std::size_t byte = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
      continue;
    }
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    to[byte++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

std::string_view KindOf(const Value& value) {
  constexpr std::array<std::string_view, 6> kKinds = {"NULL", "a truth value", "a number",
                                                      "text", "bytes",         "an instant"};
  return kKinds[value.index()];
}

std::int64_t TimeOf(Instant instant) {
  const std::int64_t micros = ToMicros(instant);
  if (instant == Instant::max() || instant == Instant::min()) return micros;
  std::int64_t shifted = 0;
  // Nearer to the beginning than the shift: as good as infinite.
  if (__builtin_sub_overflow(micros, kEpoch, &shifted)) return std::numeric_limits<std::int64_t>::min();
  return shifted;
}

/// The bytes of a number, a truth value or an instant; nullopt when the type takes none of them.
std::optional<std::size_t> PutFixed(const Value& value, Oid type, std::array<char, 16>& to) {
  if (const auto* instant = std::get_if<Instant>(&value)) {
    if (type == kTimestamptz || type == kTimestamp) {
      Put(to.data(), TimeOf(*instant));
      return 8;
    }
    if (type == kDate) {
      const std::int64_t days =
          std::chrono::floor<std::chrono::days>(*instant).time_since_epoch().count() - kEpoch / kMicrosPerDay;
      Put(to.data(), static_cast<std::int32_t>(days));
      return 4;
    }
    return std::nullopt;
  }
  std::int64_t number = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    number = *whole;
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    number = *truth ? 1 : 0;
  } else {
    return std::nullopt;
  }
  switch (type) {
    case kBool:
      if (number != 0 && number != 1) return std::nullopt;
      to[0] = static_cast<char>(number);
      return 1;
    case kInt2:
      if (!Fits<std::int16_t>(number)) return std::nullopt;
      Put(to.data(), static_cast<std::int16_t>(number));
      return 2;
    case kInt4:
      if (!Fits<std::int32_t>(number)) return std::nullopt;
      Put(to.data(), static_cast<std::int32_t>(number));
      return 4;
    case kInt8:
    case kXid8:
      Put(to.data(), number);
      return 8;
    case kFloat8:
      Put(to.data(), std::bit_cast<std::int64_t>(static_cast<double>(number)));
      return 8;
    default:
      return std::nullopt;
  }
}

[[noreturn]] void Unreadable(Oid type, std::string_view as, std::string_view statement) {
  throw Mismatch(fmt::format("a column of type {} cannot be read as {}", type, as), statement);
}

}  // namespace

std::string_view CleanText(std::string_view text, std::string& kept) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::size_t clean = 0;
  const auto skip_valid = [&] {
    while (clean < text.size()) {
      // Eight letters at once: nearly all text is ASCII, nearly everywhere. A zero byte borrows from the high bit.
      std::uint64_t eight = 0;
      if (text.size() - clean >= sizeof eight) {
        std::memcpy(&eight, text.data() + clean, sizeof eight);
        if ((((eight - 0x0101010101010101u) | eight) & 0x8080808080808080u) == 0) {
          clean += sizeof eight;
          continue;
        }
      }
      const std::size_t length = ValidSequence(text.substr(clean));
      if (length == 0) return;
      clean += length;
    }
  };
  skip_valid();
  if (clean == text.size()) return text;
  kept.clear();
  std::size_t copied = 0;
  while (clean < text.size()) {
    kept.append(text.substr(copied, clean - copied));
    kept.append(kReplacement);
    copied = ++clean;
    skip_valid();
  }
  kept.append(text.substr(copied));
  return kept;
}

Parameters::Parameters(std::span<const Value> values, std::span<const Oid> types, std::string_view statement) {
  if (values.size() != types.size()) {
    throw Mismatch(fmt::format("{} parameters for {}", values.size(), types.size()), statement);
  }
  const std::size_t count = values.size();
  values_.resize(count, nullptr);
  lengths_.resize(count, 0);
  formats_.assign(count, 1);
  fixed_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Value& value = values[i];
    const Oid type = types[i];
    const auto refuse = [&] {
      throw Mismatch(fmt::format("parameter ${} of type {} does not take {}", i + 1, type, KindOf(value)), statement);
    };
    const auto set = [&](std::string_view bytes) {
      if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) refuse();
      // A null pointer would mean NULL.
      values_[i] = bytes.data() ? bytes.data() : "";
      lengths_[i] = static_cast<int>(bytes.size());
    };
    if (std::holds_alternative<std::nullptr_t>(value)) continue;
    const auto* text = std::get_if<std::string_view>(&value);
    if (const auto* blob = std::get_if<Blob>(&value); blob || (text && type == kBytea)) {
      if (type != kBytea) refuse();
      set(blob ? blob->bytes : *text);
      continue;
    }
    if (!text) {
      const auto size = PutFixed(value, type, fixed_[i]);
      if (!size) refuse();
      set(std::string_view(fixed_[i].data(), *size));
      continue;
    }
    switch (type) {
      case kText:
      case kVarchar:
      case kBpchar:
      case kName:
      case kJson:
      case kUnknown: {
        std::string cleaned;
        const std::string_view clean = CleanText(*text, cleaned);
        set(clean.data() == text->data() ? clean : std::string_view(texts_.emplace_back(std::move(cleaned))));
        break;
      }
      case kJsonb: {
        std::string cleaned;
        const std::string_view clean = CleanText(*text, cleaned);
        std::string& versioned = texts_.emplace_back("\x01");
        versioned.append(clean);
        set(versioned);
        break;
      }
      case kUuid:
        if (!PutUuid(*text, fixed_[i])) refuse();
        set(std::string_view(fixed_[i].data(), 16));
        break;
      default:
        refuse();
    }
  }
}

std::size_t Parameters::bytes() const {
  std::size_t sum = 0;
  for (const int length : lengths_) sum += static_cast<std::size_t>(length);
  return sum;
}

std::int64_t ReadInt(Oid type, std::string_view bytes, std::string_view statement) {
  switch (type) {
    case kBool:
      if (bytes.size() == 1) return bytes[0] != 0;
      break;
    case kInt2:
      if (bytes.size() == 2) return Take<std::int16_t>(bytes);
      break;
    case kInt4:
      if (bytes.size() == 4) return Take<std::int32_t>(bytes);
      break;
    case kInt8:
    case kXid8:
      if (bytes.size() == 8) return Take<std::int64_t>(bytes);
      break;
    default:
      break;
  }
  Unreadable(type, "a whole number", statement);
}

Instant ReadTime(Oid type, std::string_view bytes, std::string_view statement) {
  if ((type == kTimestamptz || type == kTimestamp) && bytes.size() == 8) {
    const auto micros = Take<std::int64_t>(bytes);
    if (micros == kInfinity) return Instant::max();
    if (micros == std::numeric_limits<std::int64_t>::min()) return Instant::min();
    std::int64_t shifted = 0;
    if (__builtin_add_overflow(micros, kEpoch, &shifted)) return Instant::max();
    return FromMicros(shifted);
  }
  if (type == kDate && bytes.size() == 4) {
    const auto days = Take<std::int32_t>(bytes);
    if (days == std::numeric_limits<std::int32_t>::max()) return Instant::max();
    if (days == std::numeric_limits<std::int32_t>::min()) return Instant::min();
    return FromMicros(days * kMicrosPerDay + kEpoch);
  }
  Unreadable(type, "an instant", statement);
}

std::string_view ReadBytes(Oid type, std::string_view bytes, std::string_view statement) {
  if (type == kBytea || type == kText || type == kVarchar) return bytes;
  Unreadable(type, "bytes", statement);
}

std::string_view ReadText(Oid type, std::string_view bytes, std::array<char, 36>& kept, std::string_view statement) {
  switch (type) {
    case kText:
    case kVarchar:
    case kBpchar:
    case kName:
    case kChar:
    case kJson:
    case kUnknown:
      return bytes;
    case kJsonb:
      if (!bytes.empty() && bytes[0] == 1) return bytes.substr(1);
      break;
    case kUuid: {
      if (bytes.size() != 16) break;
      constexpr std::string_view kDigits = "0123456789abcdef";
      std::size_t to = 0;
      for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) kept[to++] = '-';
        kept[to++] = kDigits[static_cast<unsigned char>(bytes[i]) >> 4];
        kept[to++] = kDigits[static_cast<unsigned char>(bytes[i]) & 15];
      }
      return {kept.data(), kept.size()};
    }
    default:
      break;
  }
  Unreadable(type, "text", statement);
}

}  // namespace latchkey::storage::postgres
