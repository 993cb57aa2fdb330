#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/samples/builder.hpp"
#include "simulator/samples/samples.hpp"

namespace latchkey::simulator::samples {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// One message of a conversation.
struct Turn {
  int who;  ///< Index into Conversation::people; -1 is the owner of the mailbox.
  minutes ago;
  std::string_view text;  ///< "{me}" stands for the owner's given name.
};

struct Conversation {
  std::string_view subject;
  std::string_view language;  ///< BCP 47; decides the attribution line and the direction of the text.
  std::vector<Person> people;
  std::vector<Turn> turns;
  std::vector<std::string> labels = {};  ///< Of received messages, besides INBOX.
  std::string_view charset = "utf-8";
  std::string_view encoding = "";
  bool html = false;      ///< multipart/alternative.
  bool starred = false;   ///< The last received message.
  bool archived = false;  ///< Without INBOX.
};

/// Collects the messages of the set. Counts message ids, so that the same code gives the same bytes.
class SampleSet {
 public:
  SampleSet(const Account& owner, Instant now);

  void Add(const Conversation& conversation);
  /// One message that is no conversation. Fills in what is missing: recipient, date, Message-ID.
  void Add(MailDraft draft, minutes ago, std::vector<std::string> labels);

  const Person& owner() const { return owner_; }
  const std::string& given_name() const { return given_name_; }
  Instant now() const { return now_; }
  std::string NextMessageId(std::string_view domain);
  /// Oldest first.
  std::vector<SampleMessage> Take();

 private:
  Person owner_;
  std::string given_name_;
  Instant now_;
  unsigned next_id_ = 1;
  std::vector<SampleMessage> messages_;
};

// The parts of the mailbox, one file each.
std::vector<Conversation> EnglishConversations();
std::vector<Conversation> WesternConversations();
std::vector<Conversation> EasternEuropeanConversations();
std::vector<Conversation> RightToLeftAndIndicConversations();
std::vector<Conversation> EastAsianConversations();
void AddNewsletters(SampleSet& set);
void AddInvoicesAndNotices(SampleSet& set);
void AddOddities(SampleSet& set);

}  // namespace latchkey::simulator::samples
