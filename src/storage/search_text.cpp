#include "storage/search_text.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "mail/html_text.hpp"

namespace latchkey::storage {
namespace {

constexpr std::size_t kMaxIndexedBytes = 256 * 1024;
constexpr std::size_t kMaxQueryWords = 32;

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x80; });
}

/// Cuts at a character's beginning.
std::string_view Cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

std::string Normalized(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::Normalizer2* const kNfkc = icu::Normalizer2::getNFKCInstance(status);
  if (U_FAILURE(status) || !kNfkc) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  kNfkc->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr, status);
  return U_FAILURE(status) ? std::string(text) : out;
}

bool IsUnsegmented(UChar32 character) {
  // Below come Latin, Greek, Cyrillic, Hebrew, Arabic, the Indic scripts: all write spaces.
  if (character < 0x0e00) return false;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(character, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_YI:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      // The prolonged sound mark and its kind belong to the run they stand in.
      return character == 0x30fc || character == 0x3005;
  }
}

bool IsTermCharacter(UChar32 character) {
  const auto mask = U_GET_GC_MASK(character);
  return (mask & (U_GC_L_MASK | U_GC_N_MASK | U_GC_CO_MASK | U_GC_MN_MASK | U_GC_MC_MASK)) != 0;
}

/// Calls `plain(piece)` for text left as it is and `run(characters)` for each run of an unsegmented script.
template <class Plain, class Run>
void Walk(std::string_view text, Plain plain, Run run) {
  const char* data = text.data();
  const auto length = static_cast<std::int32_t>(text.size());
  std::int32_t plain_from = 0;
  std::vector<std::string_view> characters;
  std::int32_t at = 0;
  while (at < length) {
    const std::int32_t from = at;
    UChar32 character = 0;
    U8_NEXT(data, at, length, character);
    const bool unsegmented = character >= 0 && IsUnsegmented(character) && IsTermCharacter(character);
    if (unsegmented) {
      if (characters.empty() && from > plain_from) plain(text.substr(plain_from, from - plain_from));
      characters.push_back(text.substr(from, at - from));
      plain_from = at;
    } else if (!characters.empty()) {
      run(characters);
      characters.clear();
    }
  }
  if (!characters.empty()) run(characters);
  if (length > plain_from) plain(text.substr(plain_from, length - plain_from));
}

bool HasTermCharacter(std::string_view text) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t at = 0; at < length;) {
    UChar32 character = 0;
    U8_NEXT(text.data(), at, length, character);
    if (character >= 0 && IsTermCharacter(character)) return true;
  }
  return false;
}

struct Word {
  std::string text;
  bool quoted = false;
};

std::vector<Word> SplitWords(std::string_view typed) {
  std::vector<Word> words;
  Word word;
  bool quoted = false;
  auto end = [&] {
    if (!word.text.empty() && words.size() < kMaxQueryWords) words.push_back(std::move(word));
    word = {};
  };
  for (const char letter : typed) {
    if (letter == '"') {
      end();
      quoted = !quoted;
      word.quoted = quoted;
    } else if (!quoted && static_cast<unsigned char>(letter) <= ' ') {
      end();
    } else {
      word.text += letter == '\0' ? ' ' : letter;
    }
  }
  end();
  return words;
}

/// Adds one typed word as phrases: the parts of a run as a phrase of pairs, one character alone as a prefix of the
/// pairs that begin with it.
void AddPhrases(const Word& word, bool open_ended, std::vector<SearchPhrase>& phrases) {
  const std::string normal = IsAscii(word.text) ? word.text : Normalized(word.text);
  auto add = [&](std::string_view text, bool prefix) {
    if (HasTermCharacter(text)) phrases.push_back({.text = std::string(text), .prefix = prefix});
  };
  std::string last_plain;
  Walk(
      normal,
      [&](std::string_view piece) {
        add(last_plain, false);
        last_plain = piece;
      },
      [&](const std::vector<std::string_view>& characters) {
        add(std::exchange(last_plain, {}), false);
        if (characters.size() == 1) {
          add(characters.front(), true);
          return;
        }
        std::string pairs;
        for (std::size_t i = 0; i + 1 < characters.size(); ++i) {
          pairs += characters[i];
          pairs += characters[i + 1];
          pairs += ' ';
        }
        add(pairs, false);
      });
  // A prefix only at the very end of what is typed: the word may not be finished.
  add(last_plain, open_ended && !word.quoted);
}

}  // namespace

std::string AccountTerm(const ConnectedAccountId& account) {
  std::string term = "a";
  for (const char letter : account.text()) {
    if (letter != '-') term += letter;
  }
  return term;
}

std::string IndexableText(std::string_view text) {
  text = Cut(text, kMaxIndexedBytes);
  if (IsAscii(text)) return std::string(text);
  const std::string normal = Normalized(text);
  std::string out;
  out.reserve(normal.size() + normal.size() / 2);
  Walk(
      normal, [&](std::string_view piece) { out += piece; },
      [&](const std::vector<std::string_view>& characters) {
        out += ' ';
        for (std::size_t i = 0; i < characters.size(); ++i) {
          out += characters[i];
          if (i + 1 < characters.size()) out += characters[i + 1];
          out += ' ';
        }
      });
  return out;
}

SearchDocument MakeSearchDocument(const ConnectedAccountId& account, const mail::Message& message) {
  SearchDocument document{.account = AccountTerm(account), .subject = IndexableText(message.subject)};
  std::string people;
  for (const auto* list : {&message.from, &message.to, &message.cc, &message.bcc, &message.reply_to}) {
    for (const auto& person : *list) {
      people += person.name;
      people += ' ';
      people += person.address;
      people += '\n';
    }
  }
  document.people = IndexableText(people);
  document.body = message.text.empty() ? IndexableText(mail::HtmlToText(message.html, kMaxIndexedBytes))
                                       : IndexableText(message.text);
  return document;
}

std::vector<SearchPhrase> SearchPhrases(std::string_view typed) {
  const auto words = SplitWords(typed);
  // A space after the last word says that it is finished.
  const bool open_ended = !typed.empty() && static_cast<unsigned char>(typed.back()) > ' ';
  std::vector<SearchPhrase> phrases;
  for (std::size_t i = 0; i < words.size(); ++i) AddPhrases(words[i], open_ended && i + 1 == words.size(), phrases);
  return phrases;
}

std::string MatchExpression(std::string_view typed) {
  std::string expression;
  for (const SearchPhrase& phrase : SearchPhrases(typed)) {
    if (!expression.empty()) expression += " AND ";
    expression += '"';
    for (const char letter : phrase.text) {
      if (letter == '"') expression += '"';
      expression += letter;
    }
    expression += '"';
    if (phrase.prefix) expression += " *";
  }
  return expression;
}

}  // namespace latchkey::storage
