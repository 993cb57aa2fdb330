#include "tests/integration/support/mailbox_oracle.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>

#include "base/clock.hpp"
#include "tests/integration/support/database_file.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

constexpr const char* kDetails[] = {"to", "cc", "bcc", "text", "attachments", "message_id"};

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

std::string Sorted(const bj::value& list) {
  std::vector<std::string> items;
  for (const auto& item : list.as_array()) items.push_back(Text(item));
  std::ranges::sort(items);
  std::string out;
  for (const auto& item : items) out += item + " ";
  return out;
}

// `address`: the member that holds the address, which the two sides name differently.
std::string PersonText(const bj::value& person, const char* address) {
  return person.is_object() ? Text(person.at("name")) + " <" + Text(person.at(address)) + ">" : std::string();
}

std::string People(const bj::value& list, const char* address) {
  std::string out;
  for (const auto& person : list.as_array()) out += PersonText(person, address) + "; ";
  return out;
}

// Line ends and trailing space are the transport's business.
std::string Body(std::string text) {
  std::erase(text, '\r');
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// Marks that reorder text are taken out of names when mail is read ("gpj.exe" would be shown as "exe.jpg").
std::string WithoutDirectionMarks(std::string name) {
  for (const auto* mark : {"\u202A", "\u202B", "\u202C", "\u202D", "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    for (auto at = name.find(mark); at != std::string::npos; at = name.find(mark)) name.erase(at, 3);
  }
  return name;
}

std::string WithoutBrackets(std::string id) {
  return id.starts_with('<') && id.ends_with('>') ? id.substr(1, id.size() - 2) : id;
}

}  // namespace

MailboxFacts TrueMailbox(Simulator& simulator, const std::string& email) {
  MailboxFacts out;
  std::size_t total = 1;
  for (std::size_t offset = 0; offset < total; offset += 500) {
    const auto page = simulator.Get("/mail/" + email + "/messages?limit=500&text=1&offset=" + std::to_string(offset));
    total = page.at("total").to_number<std::size_t>();
    for (const auto& message : page.at("messages").as_array()) {
      auto& facts = out[Text(message.at("id"))];
      facts["thread"] = Text(message.at("threadId"));
      facts["labels"] = Sorted(message.at("labelIds"));
      facts["subject"] = Text(message.at("subject"));
      const auto& from = message.at("from").as_array();
      facts["from"] = from.empty() ? "" : PersonText(from.front(), "email");
      for (const auto* field : {"to", "cc", "bcc"}) facts[field] = People(message.at(field), "email");
      facts["received_at"] =
          FormatInstant(Instant(std::chrono::milliseconds(std::stoll(Text(message.at("internalDate"))))));
      facts["text"] = Body(Text(message.at("text")));
      facts["message_id"] = WithoutBrackets(Text(message.at("messageId")));
      std::string attachments;
      for (const auto& attachment : message.at("attachments").as_array())
        attachments += WithoutDirectionMarks(Text(attachment.at("filename"))) + "|" + Text(attachment.at("mimeType")) +
                       "|" + std::to_string(attachment.at("size").to_number<long>()) + " ";
      facts["attachments"] = attachments;
    }
  }
  return out;
}

MailboxFacts StoredMailbox(Server& server, Person& person, bool with_details) {
  std::map<std::string, std::string> provider_ids;
  DatabaseFile database(server.database());
  for (auto& row : database.Query("SELECT id, external_message_id FROM synced_messages")) provider_ids[row[0]] = row[1];
  return StoredMailbox(provider_ids, person, with_details);
}

MailboxFacts StoredMailbox(const std::map<std::string, std::string>& provider_ids, Person& person, bool with_details,
                           const std::string& query) {
  // The default list leaves spam and trash out; both are mirrored.
  std::map<std::string, bj::value> items;
  for (const std::string folder : {"", "&folder=spam", "&folder=trash"}) {
    for (auto& item : person.Messages(folder + query)) items[Text(item.at("id"))] = item;
  }
  MailboxFacts out;
  for (const auto& [id, item] : items) {
    auto& facts = out[provider_ids.contains(id) ? provider_ids.at(id) : "unknown " + id];
    facts["thread"] = Text(item.at("thread_id"));
    facts["labels"] = Sorted(item.at("labels"));
    facts["subject"] = Text(item.at("subject"));
    facts["from"] = PersonText(item.at("from"), "address");
    facts["received_at"] = Text(item.at("received_at"));
    if (!with_details) continue;
    const auto detail = person.Get("/api/v1/messages/" + id).Json();
    for (const auto* field : {"to", "cc", "bcc"}) facts[field] = People(detail.at(field), "address");
    facts["text"] = Body(Text(detail.at("text")));
    facts["message_id"] = Text(detail.at("message_id_header"));
    std::string attachments;
    for (const auto& attachment : detail.at("attachments").as_array())
      attachments += Text(attachment.at("name")) + "|" + Text(attachment.at("type")) + "|" +
                     std::to_string(attachment.at("size").to_number<long>()) + " ";
    facts["attachments"] = attachments;
  }
  return out;
}

std::vector<std::string> Compare(const MailboxFacts& truth, const MailboxFacts& stored) {
  std::vector<std::string> out;
  const auto say = [&](std::string text) {
    if (out.size() < 10) out.push_back(std::move(text));
  };
  for (const auto& [id, facts] : truth) {
    const auto found = stored.find(id);
    if (found == stored.end()) {
      say("missing: " + id + " " + facts.at("subject"));
      continue;
    }
    for (const auto& [name, value] : facts) {
      const auto other = found->second.find(name);
      const auto has = other == found->second.end() ? std::string("(nothing)") : other->second;
      if (has != value) say(id + " " + name + ": is \"" + has + "\", should be \"" + value + "\"");
    }
  }
  for (const auto& [id, facts] : stored) {
    if (!truth.contains(id)) say("should be gone: " + id + " " + facts.at("subject"));
  }
  return out;
}

MailboxFacts WithoutDetails(MailboxFacts facts) {
  for (auto& [id, message] : facts) {
    for (const auto* name : kDetails) message.erase(name);
  }
  return facts;
}

}  // namespace latchkey::integration
