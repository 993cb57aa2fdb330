#include "simulator/graph/delta_token.hpp"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::simulator::graph {
namespace {

std::uint64_t Checksum(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

template <class T>
bool Number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

std::string DeltaToken::Encode() const {
  const std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", static_cast<char>(phase), generation, folder,
                  until, after, received, key, given, page, after_empty ? 1 : 0, filter == 0 ? '-' : filter,
                  filter_time, change_type, expand_attachments ? 1 : 0, expand_select, select);
  return Base64UrlEncode(text) + "." + Base64UrlEncode(fmt::format("{:016x}", Checksum(text)));
}

std::optional<DeltaToken> DeltaToken::Decode(std::string_view encoded) {
  const std::size_t dot = encoded.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto text = Base64UrlDecode(encoded.substr(0, dot));
  const auto sum = Base64UrlDecode(encoded.substr(dot + 1));
  if (!text || !sum || *sum != fmt::format("{:016x}", Checksum(*text))) return std::nullopt;
  std::vector<std::string_view> fields;
  std::string_view rest = *text;
  while (fields.size() < 15) {
    const std::size_t bar = rest.find('|');
    if (bar == std::string_view::npos) return std::nullopt;
    fields.push_back(rest.substr(0, bar));
    rest.remove_prefix(bar + 1);
  }
  DeltaToken token;
  int after_empty = 0;
  int expand = 0;
  const bool numbers =
      Number(fields[1], token.generation) && Number(fields[2], token.folder) && Number(fields[3], token.until) &&
      Number(fields[4], token.after) && Number(fields[5], token.received) && Number(fields[6], token.key) &&
      Number(fields[7], token.given) && Number(fields[8], token.page) && Number(fields[9], after_empty) &&
      Number(fields[11], token.filter_time) && Number(fields[13], expand);
  if (!numbers || fields[0].size() != 1 || fields[10].size() != 1) return std::nullopt;
  token.phase = static_cast<Phase>(fields[0][0]);
  if (token.phase != Phase::kInitial && token.phase != Phase::kChanges) return std::nullopt;
  token.after_empty = after_empty != 0;
  token.filter = fields[10][0] == '-' ? '\0' : fields[10][0];
  token.change_type = fields[12];
  token.expand_attachments = expand != 0;
  token.expand_select = fields[14];
  token.select = rest;
  return token;
}

}  // namespace latchkey::simulator::graph
