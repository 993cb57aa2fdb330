#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"
#include "mail/message.hpp"

namespace latchkey::storage {

/// What the full-text index holds of one message, column by column. Rebuilding it from the stored message gives the
/// same text: that is how an entry is taken out again (the index keeps no copy).
struct SearchDocument {
  std::string account;
  std::string subject;
  std::string people;
  std::string body;
};

/// The term that limits a search to one account inside the index, so that its cost follows that account's mail.
std::string AccountTerm(const ConnectedAccountId& account);

/// `message` with its content decoded. Body text beyond 256 KiB is not indexed.
SearchDocument MakeSearchDocument(const ConnectedAccountId& account, const mail::Message& message);

/// Text as it is indexed: NFKC, and in scripts that do not separate words (Han, kana, Hangul, Thai, Lao, Khmer,
/// Myanmar) each run as overlapping pairs of characters plus its last one, so that any part of a run is found.
std::string IndexableText(std::string_view text);

/// Words that have to follow each other, the last of them as a prefix or whole.
struct SearchPhrase {
  std::string text;
  bool prefix = false;
};
/// What a person typed: every word must occur, the last one as a prefix; text in quotes as a phrase. Nothing in it is
/// syntax. Empty when there is nothing to look for.
std::vector<SearchPhrase> SearchPhrases(std::string_view typed);

/// The phrases as an FTS5 expression. Empty when there is nothing to look for.
std::string MatchExpression(std::string_view typed);

}  // namespace latchkey::storage
