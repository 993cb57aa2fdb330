#include "simulator/samples/samples.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator {
namespace samples {
namespace {

/// How a mail program of that language introduces the quoted text.
std::string Attribution(std::string_view language, const Person& author, Instant date) {
  const std::string day = FormatInstant(date).substr(0, 10);
  struct Words {
    std::string_view language;
    fmt::string_view format;
  };
  static constexpr Words kWords[] = {
      {"de", "Am {} schrieb {}:"},
      {"fr", "Le {}, {} a écrit :"},
      {"es", "El {}, {} escribió:"},
      {"pt", "Em {}, {} escreveu:"},
      {"pl", "W dniu {} {} pisze:"},
      {"ru", "{} {} пишет:"},
      {"el", "Στις {}, {} έγραψε:"},
      {"he", "ב־{} כתב/ה {}:"},
      {"ar", "في {} كتب {}:"},
      {"hi", "{} को {} ने लिखा:"},
      {"zh", "在 {}，{} 写道："},
      {"zh-Hant", "於 {}，{} 寫道："},
      {"ja", "{} {}:"},
      {"ko", "{}, {} 작성:"},
      {"tr", "{} tarihinde {} şunu yazdı:"},
      {"vi", "Vào {}, {} đã viết:"},
  };
  for (const Words& words : kWords) {
    if (words.language == language) return fmt::format(fmt::runtime(words.format), day, author.name);
  }
  return fmt::format("On {}, {} wrote:", day, author.name);
}

std::string Replaced(std::string_view text, std::string_view name) {
  constexpr std::string_view kPlaceholder = "{me}";
  std::string out(text);
  for (std::size_t at = 0; (at = out.find(kPlaceholder, at)) != std::string::npos;) {
    out.replace(at, kPlaceholder.size(), name);
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t eol = text.find('\n');
    out += "> " + std::string(text.substr(0, eol)) + "\n";
    text = eol == std::string_view::npos ? std::string_view() : text.substr(eol + 1);
  }
  return out;
}

}  // namespace

SampleSet::SampleSet(const Account& owner, Instant now)
    : owner_{.name = owner.name, .email = owner.email},
      given_name_(owner.given_name.empty() ? owner.name : owner.given_name),
      now_(now) {}

std::string SampleSet::NextMessageId(std::string_view domain) {
  return fmt::format("<{:05}.latchkey-sample@{}>", next_id_++, domain);
}

void SampleSet::Add(const Conversation& conversation) {
  constexpr hours kUnreadWithin{20};
  std::vector<std::string> references;
  std::string previous_text;
  std::size_t last_received = conversation.turns.size();
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    if (conversation.turns[i].who >= 0) last_received = i;
  }
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    const Turn& turn = conversation.turns[i];
    const bool own = turn.who < 0;
    MailDraft draft;
    draft.from = own ? owner_ : conversation.people[static_cast<std::size_t>(turn.who)];
    for (const Person& person : conversation.people) {
      if (person.email != draft.from.email) (own ? draft.to : draft.cc).push_back(person);
    }
    if (!own) draft.to.push_back(owner_);
    draft.charset = conversation.charset;
    draft.encoding = conversation.encoding;
    draft.subject = (i == 0 ? "" : "Re: ") + std::string(conversation.subject);
    draft.text = Replaced(turn.text, given_name_) + "\n";
    const std::string own_text = draft.text;
    if (i > 0) {
      const Turn& before = conversation.turns[i - 1];
      const Person& author = before.who < 0 ? owner_ : conversation.people[static_cast<std::size_t>(before.who)];
      draft.text += "\n" + Attribution(conversation.language, author, now_ - before.ago) + "\n" + Quoted(previous_text);
    }
    previous_text = own_text;
    const bool right_to_left = conversation.language == "he" || conversation.language == "ar";
    if (conversation.html) draft.html = SimpleHtml(draft.text, right_to_left);
    const std::size_t at = draft.from.email.find('@');
    draft.message_id = NextMessageId(std::string_view(draft.from.email).substr(at + 1));
    if (!references.empty()) draft.in_reply_to = references.back();
    draft.references = references;
    references.push_back(draft.message_id);

    std::vector<std::string> labels = {own ? "SENT" : "INBOX"};
    if (!own && conversation.archived) labels.clear();
    if (!own) labels.insert(labels.end(), conversation.labels.begin(), conversation.labels.end());
    if (!own && turn.ago < kUnreadWithin && i == last_received && i + 1 == conversation.turns.size()) {
      labels.emplace_back("UNREAD");
    }
    if (conversation.starred && i == last_received) labels.emplace_back("STARRED");
    Add(std::move(draft), turn.ago, std::move(labels));
  }
}

void SampleSet::Add(MailDraft draft, minutes ago, std::vector<std::string> labels) {
  draft.date = now_ - ago;
  if (draft.to.empty()) draft.to.push_back(owner_);
  if (draft.message_id.empty()) {
    const std::size_t at = draft.from.email.find('@');
    draft.message_id = NextMessageId(std::string_view(draft.from.email).substr(at + 1));
  }
  messages_.push_back({.raw = BuildMail(draft), .labels = std::move(labels), .date = draft.date});
}

std::vector<SampleMessage> SampleSet::Take() {
  std::ranges::sort(messages_, [](const SampleMessage& a, const SampleMessage& b) {
    return std::tie(a.date, a.raw) < std::tie(b.date, b.raw);
  });
  return std::move(messages_);
}

}  // namespace samples

std::vector<SampleMessage> MakeSampleMailbox(const Account& owner, Instant now) {
  samples::SampleSet set(owner, std::chrono::floor<std::chrono::seconds>(now));
  for (const auto& part :
       {samples::EnglishConversations(), samples::WesternConversations(), samples::EasternEuropeanConversations(),
        samples::RightToLeftAndIndicConversations(), samples::EastAsianConversations()}) {
    for (const samples::Conversation& conversation : part) set.Add(conversation);
  }
  samples::AddNewsletters(set);
  samples::AddInvoicesAndNotices(set);
  samples::AddOddities(set);
  return set.Take();
}

}  // namespace latchkey::simulator
