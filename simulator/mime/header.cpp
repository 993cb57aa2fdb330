#include "simulator/mime/header.hpp"

#include <algorithm>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

/// The length of a field name at the start of `line`, or npos: printable ASCII but the colon, maybe blanks, a colon.
std::size_t FieldNameLength(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && line[i] > 32 && line[i] != ':' && line[i] != 127) ++i;
  if (i == 0) return std::string_view::npos;
  std::size_t colon = i;
  while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
  if (colon >= line.size() || line[colon] != ':') return std::string_view::npos;
  return i;
}

}  // namespace

std::string_view HeaderBlock::Get(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (EqualsNoCase(field.name, name)) return field.raw;
  }
  return {};
}

bool HeaderBlock::Has(std::string_view name) const {
  return std::ranges::any_of(fields, [&](const HeaderField& field) { return EqualsNoCase(field.name, name); });
}

namespace {

/// The block with its values still untrimmed.
HeaderBlock ReadBlock(std::string_view bytes) {
  // A message with more fields than this is a test of patience; the rest of its header is skipped.
  constexpr std::size_t kMaxFields = 10'000;
  HeaderBlock block;
  block.fields.reserve(24);
  std::size_t position = 0;
  // Some very old mail has CR as its only line end.
  const char line_end = bytes.find('\n') == std::string_view::npos ? '\r' : '\n';
  bool open = false;  // The last line began or continued a field.
  while (position < bytes.size()) {
    std::size_t eol = bytes.find(line_end, position);
    const std::size_t next = eol == std::string_view::npos ? bytes.size() : eol + 1;
    if (eol == std::string_view::npos) eol = bytes.size();
    std::size_t end = eol;
    while (end > position && bytes[end - 1] == '\r') --end;
    const std::string_view line = bytes.substr(position, end - position);
    if (line.empty()) {
      block.body_offset = next;
      return block;
    }
    if (line[0] == ' ' || line[0] == '\t') {
      if (open) {
        HeaderField& field = block.fields.back();
        field.raw = bytes.substr(static_cast<std::size_t>(field.raw.data() - bytes.data()));
        field.raw = field.raw.substr(0, end - static_cast<std::size_t>(field.raw.data() - bytes.data()));
      }
    } else if (const std::size_t length = FieldNameLength(line); length != std::string_view::npos) {
      open = block.fields.size() < kMaxFields;
      if (open) {
        const std::size_t colon = line.find(':', length);
        block.fields.push_back({.name = line.substr(0, length), .raw = line.substr(colon + 1)});
      }
    } else {
      open = false;
    }
    position = next;
  }
  block.body_offset = bytes.size();
  return block;
}

}  // namespace

HeaderBlock ParseHeaderBlock(std::string_view bytes) {
  HeaderBlock block = ReadBlock(bytes);
  for (HeaderField& field : block.fields) field.raw = Trim(field.raw);
  return block;
}

std::string Unfold(std::string_view raw) {
  raw = Trim(raw);
  std::string out;
  out.reserve(raw.size());
  std::size_t i = 0;
  while (i < raw.size()) {
    const std::size_t eol = raw.find_first_of("\r\n", i);
    out.append(raw.substr(i, eol == std::string_view::npos ? eol : eol - i));
    if (eol == std::string_view::npos) break;
    i = eol + 1;
    // A bare CR in the middle of a line separates words; as a part of a fold it vanishes.
    const bool fold = raw[eol] == '\n' || (i < raw.size() && (raw[i] == '\n' || raw[i] == '\r'));
    if (!fold) out.push_back(' ');
  }
  return out;
}

std::string_view ParameterisedValue::Get(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (key == name) return text;
  }
  return {};
}

bool ParameterisedValue::Has(std::string_view name) const {
  return std::ranges::any_of(parameters, [&](const auto& pair) { return pair.first == name; });
}

}  // namespace latchkey::simulator::mime
