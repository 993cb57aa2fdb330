#include "simulator/gmail/search.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

using mime::EqualsNoCase;
using mime::Lower;

struct Term {
  std::string name;  ///< Operator, lower case; empty for a word.
  std::string value;
  bool negated = false;
};

std::vector<Term> SplitTerms(std::string_view query) {
  constexpr std::size_t kMaxTerms = 50;
  std::vector<Term> terms;
  std::size_t i = 0;
  while (i < query.size() && terms.size() < kMaxTerms) {
    if (query[i] == ' ') {
      ++i;
      continue;
    }
    Term term;
    if (query[i] == '-') {
      term.negated = true;
      ++i;
    }
    std::size_t name_end = i;
    while (name_end < query.size() &&
           (std::isalnum(static_cast<unsigned char>(query[name_end])) || query[name_end] == '_'))
      ++name_end;
    if (name_end < query.size() && query[name_end] == ':' && name_end > i) {
      term.name = Lower(query.substr(i, name_end - i));
      i = name_end + 1;
    }
    char close = ' ';
    if (i < query.size() && (query[i] == '"' || query[i] == '(')) close = query[i++] == '"' ? '"' : ')';
    const std::size_t end = std::min(query.find(close, i), query.size());
    term.value = Lower(query.substr(i, end - i));
    i = std::min(end + 1, query.size());
    if (!term.value.empty()) terms.push_back(std::move(term));
  }
  return terms;
}

std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "2026/11/20", "2026-11-20" or seconds since 1970, in milliseconds.
std::optional<std::int64_t> DateValue(const std::string& text) {
  if (const auto seconds = Number(text)) return *seconds * 1000;
  std::string plain = text;
  std::ranges::replace(plain, '/', '-');
  const std::size_t first = plain.find('-');
  const std::size_t second = first == std::string::npos ? first : plain.find('-', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const std::string_view view(plain);
  const auto year = Number(view.substr(0, first));
  const auto month = Number(view.substr(first + 1, second - first - 1));
  const auto day = Number(view.substr(second + 1));
  if (!year || !month || !day || *year < 1000 || *year > 9999) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::sys_days(date)).time_since_epoch().count();
}

/// "3d", "2w", "1m", "1y", "5h" in milliseconds.
std::optional<std::int64_t> AgeValue(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto count = Number(text.substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > 100'000) return std::nullopt;
  constexpr std::int64_t kHour = 3'600'000;
  switch (text.back()) {
    case 'h':
      return *count * kHour;
    case 'd':
      return *count * 24 * kHour;
    case 'w':
      return *count * 7 * 24 * kHour;
    case 'm':
      return *count * 30 * 24 * kHour;
    case 'y':
      return *count * 365 * 24 * kHour;
    default:
      return std::nullopt;
  }
}

/// "5M", "300K", "1000" in bytes.
std::optional<std::int64_t> SizeValue(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('k')) unit = 1024;
  if (text.ends_with('m')) unit = 1024 * 1024;
  const auto count = Number(unit == 1 ? text : text.substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > 1'000'000'000) return std::nullopt;
  return *count * unit;
}

std::optional<LabelIndex> LabelNamed(const Mailbox& mailbox, std::string_view name) {
  for (std::size_t i = 0; i < mailbox.labels().all().size(); ++i) {
    const Label& label = mailbox.labels().all()[i];
    if (label.deleted) continue;
    // Gmail's search writes blanks and slashes of label names as hyphens.
    std::string spelled = Lower(label.name);
    if (spelled == name || EqualsNoCase(label.id, name)) return static_cast<LabelIndex>(i);
    std::ranges::replace_if(spelled, [](char c) { return c == ' ' || c == '/'; }, '-');
    if (spelled == name) return static_cast<LabelIndex>(i);
  }
  if (name == "draft" || name == "drafts") return LabelTable::kDraft;
  return std::nullopt;
}

bool AddressesContain(const std::vector<mime::Address>& addresses, const std::string& value) {
  return std::ranges::any_of(addresses, [&](const mime::Address& address) {
    return Lower(address.email).find(value) != std::string::npos ||
           Lower(address.name).find(value) != std::string::npos;
  });
}

using Predicate = std::function<bool(const StoredMessage&)>;
/// Parses the message; slower than a look at the index, so such terms come last.
using DeepPredicate = std::function<bool(const mime::Summary&)>;

DeepPredicate DeepTerm(const Term& term) {
  const std::string value = term.value;
  if (term.name == "from") return [value](const mime::Summary& s) { return AddressesContain(s.from, value); };
  if (term.name == "to") return [value](const mime::Summary& s) { return AddressesContain(s.to, value); };
  if (term.name == "cc") return [value](const mime::Summary& s) { return AddressesContain(s.cc, value); };
  if (term.name == "bcc") return [value](const mime::Summary& s) { return AddressesContain(s.bcc, value); };
  if (term.name == "subject") {
    return [value](const mime::Summary& s) { return Lower(s.subject).find(value) != std::string::npos; };
  }
  if (term.name == "rfc822msgid") {
    const std::string id = value.starts_with('<') ? value : "<" + value + ">";
    return [id](const mime::Summary& s) { return Lower(s.message_id) == id; };
  }
  if (term.name == "has") {
    return [value](const mime::Summary& s) { return value == "attachment" && !s.attachments.empty(); };
  }
  if (term.name == "filename") {
    return [value](const mime::Summary& s) {
      return std::ranges::any_of(s.attachments, [&](const mime::NamedPart& part) {
        return Lower(part.name).find(value) != std::string::npos;
      });
    };
  }
  return [value](const mime::Summary& s) {
    return Lower(s.subject).find(value) != std::string::npos || Lower(s.text).find(value) != std::string::npos ||
           Lower(s.html).find(value) != std::string::npos || AddressesContain(s.from, value) ||
           AddressesContain(s.to, value);
  };
}

/// A term that the index alone decides; nullopt for the others.
std::optional<Predicate> IndexTerm(const Term& term, const Mailbox& mailbox, std::int64_t now) {
  const auto never = [](const StoredMessage&) { return false; };
  const auto has_label = [&mailbox](LabelIndex label) {
    return [&mailbox, label](const StoredMessage& m) { return mailbox.Has(m, label); };
  };
  if (term.name == "in" || term.name == "label") {
    if (term.value == "anywhere") return [](const StoredMessage&) { return true; };
    if (const auto label = LabelNamed(mailbox, term.value)) return has_label(*label);
    return never;
  }
  if (term.name == "is") {
    if (term.value == "read") {
      return [&mailbox](const StoredMessage& m) { return !mailbox.Has(m, LabelTable::kUnread); };
    }
    if (const auto label = LabelNamed(mailbox, term.value)) return has_label(*label);
    return never;
  }
  const bool before = term.name == "before" || term.name == "older";
  if (before || term.name == "after" || term.name == "newer") {
    const auto limit = DateValue(term.value);
    if (!limit) return never;
    return [before, limit](const StoredMessage& m) {
      return before ? m.internal_date < *limit : m.internal_date >= *limit;
    };
  }
  if (term.name == "older_than" || term.name == "newer_than") {
    const auto age = AgeValue(term.value);
    if (!age) return never;
    const bool older = term.name == "older_than";
    return [older, limit = now - *age](const StoredMessage& m) {
      return older ? m.internal_date < limit : m.internal_date >= limit;
    };
  }
  if (term.name == "larger" || term.name == "size" || term.name == "smaller") {
    const auto limit = SizeValue(term.value);
    if (!limit) return never;
    const bool smaller = term.name == "smaller";
    return [smaller, limit](const StoredMessage& m) { return smaller ? m.size < *limit : m.size > *limit; };
  }
  return std::nullopt;
}

}  // namespace

Search ParseSearch(std::string_view query, const Mailbox& mailbox, Instant now) {
  struct Compiled {
    std::vector<std::pair<Predicate, bool>> index;
    std::vector<std::pair<DeepPredicate, bool>> deep;
  };
  const auto compiled = std::make_shared<Compiled>();
  Search search;
  for (const Term& term : SplitTerms(query)) {
    if (term.name == "in" && (term.value == "anywhere" || term.value == "trash" || term.value == "spam")) {
      search.includes_spam_trash = true;
    }
    if (auto predicate = IndexTerm(term, mailbox, ToMicros(now) / 1000)) {
      compiled->index.emplace_back(std::move(*predicate), term.negated);
    } else {
      compiled->deep.emplace_back(DeepTerm(term), term.negated);
    }
  }
  search.matches = [compiled, &mailbox](const StoredMessage& message) {
    for (const auto& [predicate, negated] : compiled->index) {
      if (predicate(message) == negated) return false;
    }
    if (compiled->deep.empty()) return true;
    const std::string raw = mailbox.Raw(message);
    const mime::Message parsed = mime::Message::Parse(raw);
    const mime::Summary summary = mime::Summarise(parsed);
    return std::ranges::all_of(compiled->deep, [&](const auto& term) { return term.first(summary) != term.second; });
  };
  return search;
}

}  // namespace latchkey::simulator
