#include "simulator/mime/address.hpp"

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

/// Collects the pieces of one mailbox until the comma that ends it.
struct Pending {
  std::string phrase;   ///< Atoms and quoted strings, blanks squeezed.
  std::string comment;  ///< The last comment: the name in "ann@example.com (Ann)".
  std::string route;    ///< Between angle brackets.
  bool has_route = false;
  bool gap = false;  ///< Blanks stood before the next piece.

  void Append(std::string_view piece) {
    if (gap && !phrase.empty()) phrase.push_back(' ');
    gap = false;
    phrase.append(piece);
  }
};

/// Blanks inside a quoted local part belong to it.
std::string WithoutBlanks(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted || !IsSpace(c)) out.push_back(c);
  }
  return out;
}

void Finish(Pending& pending, std::vector<Address>& out) {
  Address address;
  if (pending.has_route) {
    std::string_view route = Trim(pending.route);
    // RFC 5322 section 4.4: "<@relay:ann@example.com>".
    if (route.starts_with('@')) {
      if (const std::size_t colon = route.find(':'); colon != std::string_view::npos) route.remove_prefix(colon + 1);
    }
    address.email = WithoutBlanks(route);
    address.name = std::string(Trim(pending.phrase));
  } else {
    const std::string_view phrase = Trim(pending.phrase);
    if (phrase.find('@') != std::string_view::npos) address.email = WithoutBlanks(phrase);
  }
  if (address.name.empty()) address.name = std::string(Trim(pending.comment));
  if (!address.email.empty() && out.size() < kMaxAddresses) out.push_back(std::move(address));
  pending = Pending{};
}

/// Reads from the opening character at `i` to the matching end, resolving backslashes; leaves `i` behind it.
std::string ReadQuoted(std::string_view text, std::size_t& i) {
  std::string out;
  ++i;
  while (i < text.size() && text[i] != '"') {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i++]);
  }
  if (i < text.size()) ++i;
  return out;
}

std::string ReadComment(std::string_view text, std::size_t& i) {
  std::string out;
  int depth = 0;
  while (i < text.size()) {
    const char c = text[i++];
    if (c == '\\' && i < text.size()) {
      out.push_back(text[i++]);
    } else if (c == '(') {
      if (depth++ > 0) out.push_back(c);
    } else if (c == ')') {
      if (--depth == 0) break;
      out.push_back(c);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::vector<Address> ParseAddresses(std::string_view text) {
  std::vector<Address> out;
  Pending pending;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (IsSpace(c)) {
      pending.gap = true;
      ++i;
    } else if (c == '"') {
      const std::string quoted = ReadQuoted(text, i);
      // A quoted local part ("a b"@example.com) keeps its quotes; a quoted name loses them.
      if (i < text.size() && text[i] == '@') {
        pending.Append('"' + quoted + '"');
      } else {
        pending.Append(quoted);
      }
    } else if (c == '(') {
      pending.comment = ReadComment(text, i);
    } else if (c == '<') {
      const std::size_t close = text.find('>', ++i);
      // "Ann <ann@example.com> Bob <bob@example.com>" lacks its comma: the first one counts.
      if (!pending.has_route) {
        pending.route = std::string(text.substr(i, close == std::string_view::npos ? close : close - i));
      }
      pending.has_route = true;
      i = close == std::string_view::npos ? text.size() : close + 1;
    } else if (c == ',' || c == ';') {
      Finish(pending, out);
      ++i;
    } else if (c == ':' && !pending.has_route) {
      pending = Pending{};  // "Friends: ann@example.com, ...;": the name of a group.
      ++i;
    } else {
      const std::size_t start = i++;  // At least one: a colon behind an angle address means nothing.
      while (i < text.size() && !IsSpace(text[i]) && text.substr(i, 1).find_first_of("\"(<,;:") != 0) ++i;
      pending.Append(text.substr(start, i - start));
    }
  }
  Finish(pending, out);
  return out;
}

}  // namespace latchkey::simulator::mime
