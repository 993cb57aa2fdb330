#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"
#include "storage/search_text.hpp"

/// Full-text search on PostgreSQL: its words are found by SQLite's tokenizer, the one that the index of the embedded
/// engine has, so that the same mail is found on both.
namespace latchkey::storage {

/// The words of a text in the order they stand: folded to lower case and without diacritics. Any thread.
std::vector<std::string> SearchWords(std::string_view text);

/// A document as the text of a tsvector: its words with their places, one word for the account, and one that says when
/// not every place could be kept. Never larger than PostgreSQL takes.
std::string TsVectorText(const SearchDocument& document);

/// What a person typed as the text of a tsquery that finds this account's messages. Empty when there is nothing to look
/// for.
std::string TsQueryText(const ConnectedAccountId& account, std::string_view typed);

}  // namespace latchkey::storage
