// The line of text that mail lists show under the subject.
#include <algorithm>
#include <array>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

struct Entity {
  std::string_view name;
  std::string_view text;
};
constexpr Entity kEntities[] = {{"amp", "&"},    {"lt", "<"},         {"gt", ">"},         {"quot", "\""},
                                {"apos", "'"},   {"nbsp", " "},       {"copy", "\u00A9"},  {"ndash", "\u2013"},
                                {"zwnj", ""},    {"mdash", "\u2014"}, {"rsquo", "\u2019"}, {"lsquo", "\u2018"},
                                {"auml", "ä"},   {"ouml", "ö"},       {"uuml", "ü"},       {"szlig", "ß"},
                                {"eacute", "é"}, {"egrave", "è"},     {"euro", "€"},       {"hellip", "\u2026"}};

void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

/// Resolves the entity whose text (between '&' and ';') is `name`. False when it is none.
bool AppendEntity(std::string& out, std::string_view name) {
  for (const Entity& entity : kEntities) {
    if (name == entity.name) {
      out += entity.text;
      return true;
    }
  }
  if (name.size() < 2 || name[0] != '#') return false;
  const bool hex = name[1] == 'x' || name[1] == 'X';
  std::uint32_t code = 0;
  for (char c : name.substr(hex ? 2 : 1)) {
    const char lower = LowerChar(c);
    std::uint32_t digit = 0;
    if (lower >= '0' && lower <= '9') {
      digit = static_cast<std::uint32_t>(lower - '0');
    } else if (hex && lower >= 'a' && lower <= 'f') {
      digit = static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return false;
    }
    code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + digit, 0x110000);
  }
  AppendUtf8(out, code);
  return true;
}

void AppendSqueezed(std::string& out, char c) {
  if (IsSpace(c) || c == '\0') {
    if (!out.empty() && out.back() != ' ') out.push_back(' ');
  } else {
    out.push_back(c);
  }
}

/// Cuts at a character's start.
void CutUtf8(std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
}

const Part* FindBody(const Part& root, std::string_view type) {
  const Part* found = nullptr;
  VisitParts(root, [&](const Part& part) {
    if (found == nullptr && part.type == type && IsBodyText(part)) found = &part;
  });
  return found;
}

}  // namespace

std::string HtmlToText(std::string_view html, std::size_t limit) {
  constexpr std::size_t kMaxEntity = 10;
  std::string out;
  std::size_t i = 0;
  while (i < html.size() && out.size() < limit) {
    const char c = html[i];
    if (c == '<') {
      if (html.substr(i).starts_with("<!--")) {
        const std::size_t end = html.find("-->", i + 4);
        i = end == std::string_view::npos ? html.size() : end + 3;
        continue;
      }
      std::string_view closing;
      for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"<style", "</style"},
                                        {"<script", "</script"},
                                        {"<head", "</head"},
                                        {"<title", "</title"}}) {
        if (StartsWithNoCase(html.substr(i), open)) closing = close;
      }
      if (!closing.empty()) {
        std::size_t at = i + 1;
        while (at < html.size() && !StartsWithNoCase(html.substr(at), closing)) ++at;
        i = at;
      }
      const std::size_t end = html.find('>', i);
      i = end == std::string_view::npos ? html.size() : end + 1;
      AppendSqueezed(out, ' ');
    } else if (c == '&') {
      const std::size_t end = html.substr(i, kMaxEntity + 2).find(';');
      std::string entity;
      if (end != std::string_view::npos && AppendEntity(entity, html.substr(i + 1, end - 1))) {
        for (char e : entity) AppendSqueezed(out, e);
        i += end + 1;
      } else {
        out.push_back(c);
        ++i;
      }
    } else {
      AppendSqueezed(out, c);
      ++i;
    }
  }
  return out;
}

std::string PreviewText(const Message& message, std::size_t limit) {
  // Enough source text for the preview whatever markup stands before it, without decoding megabytes for one line.
  constexpr std::size_t kMaxSource = 64 * 1024;
  constexpr std::size_t kSlack = 4;  // The cut below needs to see one whole character more.
  std::string out;
  for (const std::string_view type : {"text/plain", "text/html"}) {
    const Part* part = FindBody(message.root(), type);
    if (part == nullptr) continue;
    // HTML begins with styles; plain text shows its first words at once.
    const std::size_t source = type == "text/plain" ? limit * 6 : kMaxSource;
    const std::string text = ToUtf8(DecodeTransfer(part->body.substr(0, source), part->encoding), part->charset);
    if (type == "text/html") {
      out = HtmlToText(text, limit + kSlack);
    } else {
      for (char c : text) {
        AppendSqueezed(out, c);
        if (out.size() > limit + kSlack) break;
      }
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    if (!out.empty()) break;
  }
  CutUtf8(out, limit);
  return out;
}

}  // namespace latchkey::simulator::mime
