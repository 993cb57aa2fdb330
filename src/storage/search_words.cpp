#include "storage/search_words.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>

namespace latchkey::storage {
namespace {

// Limits of tsvector (PostgreSQL's manual, section 12.11): places up to 16383, 255 of them per word, words of 2 KB,
// less than 1 MB of words and places. What is further back in a mail is found word by word, phrases are not sure of it.
constexpr int kLastPlace = 16382;
constexpr std::size_t kPlacesPerWord = 255;
constexpr std::size_t kLongestWord = 2000;
constexpr std::size_t kMostBytes = 1'000'000;
/// Between columns: a phrase does not go from one into the next.
constexpr int kColumnGap = 10;
// Words of mail consist of letters, digits and marks alone: these two can be nobody's.
constexpr std::string_view kAccountSign = "@";
constexpr std::string_view kLongSign = "@long";

class Tokenizer {
 public:
  Tokenizer() {
    // The tokenizer belongs to the library's FTS5, which is reached through a connection (SQLite's manual, FTS5 7.1).
    sqlite3* database = nullptr;
    const int opened = sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE, nullptr);
    database_.reset(database);
    sqlite3_stmt* statement = nullptr;
    fts5_api* api = nullptr;
    if (opened == SQLITE_OK && sqlite3_prepare_v2(database, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
      sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
      sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    void* data = nullptr;
    // As migrations/sqlite/0001_initial.sql names it.
    const char* options[] = {"remove_diacritics", "2", "categories", "L* N* Co Mn Mc"};
    if (api == nullptr || api->xFindTokenizer(api, "unicode61", &data, &methods_) != SQLITE_OK ||
        methods_.xCreate(data, options, 4, &tokenizer_) != SQLITE_OK) {
      throw std::runtime_error("SQLite has no tokenizer of full-text search");
    }
  }
  ~Tokenizer() { methods_.xDelete(tokenizer_); }
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  std::vector<std::string> Words(std::string_view text) {
    std::vector<std::string> words;
    if (methods_.xTokenize(tokenizer_, &words, FTS5_TOKENIZE_DOCUMENT, text.data(), static_cast<int>(text.size()),
                           &AddWord) != SQLITE_OK) {
      throw std::bad_alloc();
    }
    return words;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  static int AddWord(void* words, int, const char* word, int size, int, int) {
    std::string_view text(word, static_cast<std::size_t>(size));
    if (text.size() > kLongestWord) {
      text = text.substr(0, kLongestWord);
      while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.remove_suffix(1);
      if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0xc0) text.remove_suffix(1);
    }
    static_cast<std::vector<std::string>*>(words)->emplace_back(text);
    return SQLITE_OK;
  }

  std::unique_ptr<sqlite3, Close> database_;
  fts5_tokenizer methods_{};
  Fts5Tokenizer* tokenizer_ = nullptr;
};

void AddQuoted(std::string& out, std::string_view word) {
  out += '\'';
  for (const char letter : word) {
    if (letter == '\'' || letter == '\\') out += letter;
    out += letter;
  }
  out += '\'';
}

}  // namespace

std::vector<std::string> SearchWords(std::string_view text) {
  thread_local Tokenizer tokenizer;
  return tokenizer.Words(text);
}

std::string TsVectorText(const SearchDocument& document) {
  std::map<std::string, std::vector<int>> words;
  std::size_t bytes = 0;
  bool all_places = true;
  int place = 0;
  for (const std::string* column : {&document.subject, &document.people, &document.body}) {
    for (std::string& word : SearchWords(*column)) {
      ++place;
      const std::size_t size = word.size() + 4;
      auto known = words.find(word);
      if (known == words.end()) {
        if (bytes + size > kMostBytes) continue;
        bytes += size;
        known = words.emplace(std::move(word), std::vector<int>()).first;
      }
      if (place > kLastPlace || known->second.size() == kPlacesPerWord || bytes + 2 > kMostBytes) {
        all_places = false;
        continue;
      }
      known->second.push_back(place);
      bytes += 2;
    }
    place += kColumnGap;
  }
  std::string text;
  text.reserve(bytes * 2);
  AddQuoted(text, std::string(kAccountSign) + document.account);
  if (!all_places) {
    text += ' ';
    AddQuoted(text, kLongSign);
  }
  for (const auto& [word, places] : words) {
    text += ' ';
    AddQuoted(text, word);
    char before = ':';
    for (const int at : places) {
      text += before;
      text += std::to_string(at);
      before = ',';
    }
  }
  return text;
}

std::string TsQueryText(const ConnectedAccountId& account, std::string_view typed) {
  std::string query;
  const auto join = [](const std::vector<std::string>& words, std::string_view between, bool prefix) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i > 0) text += between;
      AddQuoted(text, words[i]);
    }
    if (prefix) text += ":*";
    return text;
  };
  for (const SearchPhrase& phrase : SearchPhrases(typed)) {
    const auto words = SearchWords(phrase.text);
    if (words.empty()) continue;
    query += " & (" + join(words, " <-> ", phrase.prefix);
    if (words.size() > 1) {
      query += " | ";
      AddQuoted(query, kLongSign);
      query += " & " + join(words, " & ", phrase.prefix);
    }
    query += ')';
  }
  if (query.empty()) return {};
  std::string own;
  AddQuoted(own, std::string(kAccountSign) + AccountTerm(account));
  return own + query;
}

}  // namespace latchkey::storage
