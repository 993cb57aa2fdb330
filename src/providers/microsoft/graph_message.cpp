#include "providers/microsoft/graph_message.hpp"

#include <algorithm>

#include "mail/header_text.hpp"
#include "mail/html_text.hpp"
#include "providers/microsoft/graph_json.hpp"

namespace latchkey::microsoft {
namespace {

using mail::Address;
using mail::Attachment;
using mail::Message;

constexpr std::size_t kMaxRecipients = 5000;
constexpr std::size_t kMaxSubjectBytes = 8 << 10;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxReferences = 100;
constexpr std::size_t kMaxCategories = 100;
constexpr std::size_t kPreviewBytes = 400;

std::unexpected<Error> Malformed(std::string_view what) {
  return Fail(ErrorCode::kMalformedReply, "graph " + std::string(what) + ": not the documented shape");
}

std::string OneLine(std::string_view text, std::size_t longest) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (blank && (line.empty() || line.back() == ' ')) continue;
    line += blank ? ' ' : c;
    // Enough, even when the last character is cut in two.
    if (line.size() > longest + 4) break;
  }
  mail::TruncateUtf8(line, longest);
  line = mail::CleanUtf8(std::move(line));
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

/// Instants beyond what our microseconds and lists can carry count as absent.
std::optional<Instant> ReadInstant(std::string_view text) {
  const auto instant = ParseInstant(text);
  constexpr std::int64_t kEndOfYear9999 = 253'402'300'799'999'999;
  if (!instant || ToMicros(*instant) > kEndOfYear9999 || ToMicros(*instant) < -kEndOfYear9999) return std::nullopt;
  return instant;
}

class MessageReader {
 public:
  MessageReader(GraphJson& json, Instant asked_at) : json_(json), asked_at_(asked_at) {}

  bool Read(ondemand::object object) {
    return GraphJson::Members(object,
                              [this](std::string_view key, ondemand::value value) { return Member(key, value); });
  }
  bool Member(std::string_view key, ondemand::value value) {
    if (ReadPlace(key, value) || ReadEnvelope(key, value)) return good_;
    if (key == "body") {
      ReadBody(value);
    } else if (key == "internetMessageHeaders") {
      ReadHeaders(value);
    } else if (key == "@removed") {
      removed_ = true;
    }
    return good_;
  }

  bool removed() const { return removed_; }
  const std::string& id() const { return message_.external_id; }

  ParsedGraphMessage Take() {
    message_.version = GraphVersion(modified_, asked_at_);
    message_.received_at = received_.value_or(created_.value_or(Instant{}));
    if (message_.from.empty()) message_.from = std::move(sender_);
    message_.label_ids = std::move(categories_);
    if (!folder_.empty()) message_.label_ids.push_back(std::move(folder_));
    if (message_.is_starred) message_.label_ids.emplace_back(mail::kFlaggedLabel);
    std::sort(message_.label_ids.begin(), message_.label_ids.end());
    if (message_.snippet.empty()) {
      const std::string text = message_.text.empty() ? mail::HtmlToText(message_.html, 4 * kPreviewBytes)
                                                     : message_.text.substr(0, 4 * kPreviewBytes);
      message_.snippet = OneLine(text, kPreviewBytes);
    }
    ParsedGraphMessage parsed;
    parsed.has_attachments = has_attachments_ || message_.html.find("cid:") != std::string::npos;
    constexpr unsigned kState = kFolder | kModified | kRead | kFlag | kCategories;
    constexpr unsigned kWhole = kState | kReceived | kSubject | kBody | kTo | kAttachments;
    parsed.located = (seen_ & kState) == kState;
    parsed.whole = (seen_ & kWhole) == kWhole;
    parsed.message = std::move(message_);
    return parsed;
  }

 private:
  enum Seen : unsigned {
    kFolder = 1,
    kModified = 2,
    kRead = 4,
    kFlag = 8,
    kCategories = 16,
    kReceived = 32,
    kSubject = 64,
    kBody = 128,
    kTo = 256,
    kAttachments = 512
  };

  /// What can change without the content.
  bool ReadPlace(std::string_view key, ondemand::value value) {
    if (key == "id") {
      message_.external_id = json_.Text(value);
    } else if (key == "parentFolderId") {
      folder_ = json_.Text(value);
      if (!folder_.empty()) seen_ |= kFolder;
    } else if (key == "lastModifiedDateTime") {
      if (const auto instant = ReadInstant(json_.Raw(value))) {
        modified_ = *instant;
        seen_ |= kModified;
      }
    } else if (key == "isRead") {
      message_.is_read = GraphJson::True(value);
      seen_ |= kRead;
    } else if (key == "isDraft") {
      message_.is_draft = GraphJson::True(value);
    } else if (key == "flag") {
      seen_ |= kFlag;
      message_.is_starred = false;
      good_ &= GraphJson::MembersOf(value, [this](std::string_view name, ondemand::value member) {
        if (name == "flagStatus") message_.is_starred = json_.Raw(member) == "flagged";
        return true;
      });
    } else if (key == "categories") {
      seen_ |= kCategories;
      categories_.clear();
      good_ &= GraphJson::Elements(value, [&](ondemand::value element) {
        std::string name = json_.Text(element);
        if (name.empty()) return true;
        if (categories_.size() >= kMaxCategories || mail::TruncateUtf8(name, kMaxNameBytes)) {
          message_.truncated = true;
          return true;
        }
        categories_.push_back(std::string(mail::kCategoryPrefix) + name);
        return true;
      });
    } else {
      return false;
    }
    return true;
  }

  bool ReadEnvelope(std::string_view key, ondemand::value value) {
    if (key == "conversationId") {
      message_.thread_id = json_.Text(value);
    } else if (key == "internetMessageId") {
      message_.rfc822_message_id = mail::StripAngles(json_.Text(value));
    } else if (key == "subject") {
      message_.subject = mail::DecodeHeaderText(json_.Text(value));
      message_.truncated |= mail::TruncateUtf8(message_.subject, kMaxSubjectBytes);
      seen_ |= kSubject;
    } else if (key == "bodyPreview") {
      message_.snippet = OneLine(json_.Text(value), kPreviewBytes);
    } else if (key == "receivedDateTime") {
      received_ = ReadInstant(json_.Raw(value));
      seen_ |= kReceived;
    } else if (key == "createdDateTime") {
      created_ = ReadInstant(json_.Raw(value));
    } else if (key == "sentDateTime") {
      message_.sent_at = ReadInstant(json_.Raw(value));
    } else if (key == "hasAttachments") {
      has_attachments_ = GraphJson::True(value);
      seen_ |= kAttachments;
    } else if (key == "from") {
      message_.from.clear();
      ReadRecipient(value, message_.from);
    } else if (key == "sender") {
      sender_.clear();
      ReadRecipient(value, sender_);
    } else if (key == "toRecipients") {
      ReadRecipients(value, message_.to);
      seen_ |= kTo;
    } else if (key == "ccRecipients") {
      ReadRecipients(value, message_.cc);
    } else if (key == "bccRecipients") {
      ReadRecipients(value, message_.bcc);
    } else if (key == "replyTo") {
      ReadRecipients(value, message_.reply_to);
    } else {
      return false;
    }
    return true;
  }

  void ReadRecipients(ondemand::value value, std::vector<Address>& people) {
    // A member that comes twice counts as it came last, here and everywhere.
    people.clear();
    good_ &= GraphJson::Elements(value, [&](ondemand::value element) {
      if (people.size() >= kMaxRecipients) {
        message_.truncated = true;
        return true;
      }
      ReadRecipient(element, people);
      return good_;
    });
  }

  void ReadRecipient(ondemand::value value, std::vector<Address>& people) {
    Address person;
    good_ &= GraphJson::MembersOf(value, [&](std::string_view outer, ondemand::value member) {
      if (outer != "emailAddress") return true;
      return GraphJson::MembersOf(member, [&](std::string_view name, ondemand::value text) {
        if (name == "name") person.name = mail::DecodeHeaderText(json_.Text(text));
        if (name == "address") person.address = mail::DecodeHeaderText(json_.Text(text));
        return true;
      });
    });
    mail::TruncateUtf8(person.name, kMaxNameBytes);
    const std::size_t at = person.address.rfind('@');
    if (at == std::string::npos || person.address.size() > kMaxNameBytes) {
      // Exchange's own form of an address ("/O=...") is none that anybody could write to.
      if (person.name.empty()) person.name = person.address.substr(0, kMaxNameBytes);
      person.name = mail::CleanUtf8(std::move(person.name));
      person.address.clear();
    } else {
      person.address = person.address.substr(0, at) + mail::AsciiLower(std::string_view(person.address).substr(at));
      // Where nobody gave a name, Graph repeats the address.
      if (mail::AsciiEqualsIgnoreCase(person.name, person.address)) person.name.clear();
    }
    if (!person.name.empty() || !person.address.empty()) people.push_back(std::move(person));
  }

  void ReadBody(ondemand::value value) {
    bool html = false;
    std::string content;
    bool there = false;
    good_ &= GraphJson::MembersOf(value, [&](std::string_view name, ondemand::value member) {
      if (name == "contentType") html = mail::AsciiEqualsIgnoreCase(json_.Raw(member), "html");
      if (name == "content") {
        there = true;
        // What would be cut anyway is not copied.
        const std::string_view raw = json_.Raw(member);
        message_.truncated |= raw.size() > kMaxBodyBytes + 4;
        content = mail::CleanUtf8(std::string(raw.substr(0, kMaxBodyBytes + 4)));
      }
      return true;
    });
    if (!there) return;
    seen_ |= kBody;
    message_.truncated |= mail::TruncateUtf8(content, kMaxBodyBytes);
    (html ? message_.html : message_.text) = std::move(content);
  }

  void ReadHeaders(ondemand::value value) {
    good_ &= GraphJson::Elements(value, [&](ondemand::value element) {
      std::string name, text;
      const bool read = GraphJson::MembersOf(element, [&](std::string_view key, ondemand::value member) {
        if (key == "name") name = json_.Text(member);
        if (key == "value") text = json_.Text(member);
        return true;
      });
      if (mail::AsciiEqualsIgnoreCase(name, "In-Reply-To")) message_.in_reply_to = FirstId(text);
      if (mail::AsciiEqualsIgnoreCase(name, "References")) ReadReferences(text);
      return read;
    });
  }

  static std::string FirstId(std::string_view text) {
    const std::size_t open = text.find('<');
    if (open == std::string_view::npos) return mail::StripAngles(text);
    return mail::StripAngles(text.substr(open, text.find('>', open) - open + 1));
  }

  void ReadReferences(std::string_view text) {
    message_.references.clear();
    for (std::size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
      const std::size_t close = text.find('>', open);
      if (close == std::string_view::npos) break;
      if (message_.references.size() >= kMaxReferences) {
        // The newest stand last, and they are what a reply continues.
        message_.references.erase(message_.references.begin() + 1);
        message_.truncated = true;
      }
      message_.references.push_back(mail::StripAngles(text.substr(open, close - open + 1)));
    }
  }

  GraphJson& json_;
  Instant asked_at_;
  Message message_;
  std::vector<Address> sender_;
  std::string folder_;
  std::vector<std::string> categories_;
  Instant modified_{};
  std::optional<Instant> received_, created_;
  unsigned seen_ = 0;
  bool has_attachments_ = false, removed_ = false, good_ = true;
};

bool ReadAttachment(GraphJson& json, ondemand::value value, Attachment& attachment) {
  std::string type, content_type;
  const bool good = GraphJson::MembersOf(value, [&](std::string_view key, ondemand::value member) {
    if (key == "@odata.type") type = json.Text(member);
    if (key == "id") attachment.part_id = json.Text(member);
    if (key == "name") attachment.name = mail::DecodeHeaderText(json.Text(member));
    if (key == "contentType") content_type = mail::AsciiLower(json.Text(member));
    if (key == "size") attachment.size = json.Number(member);
    if (key == "isInline") attachment.is_inline = GraphJson::True(member);
    if (key == "contentId") attachment.content_id = mail::StripAngles(json.Text(member));
    return true;
  });
  attachment.provider_id = attachment.part_id;
  if (type == "#microsoft.graph.itemAttachment") {
    // Its bytes are the item's MIME form.
    content_type = "message/rfc822";
    if (!mail::AsciiLower(attachment.name).ends_with(".eml")) attachment.name += ".eml";
  } else if (type == "#microsoft.graph.referenceAttachment") {
    // A link to a file kept elsewhere.
    content_type = "application/internet-shortcut";
  }
  attachment.name = mail::SafeFileName(attachment.name);
  attachment.mime_type = mail::CleanUtf8(content_type.substr(0, 127));
  return good;
}

bool ReadFolder(GraphJson& json, std::string_view key, ondemand::value value, GraphFolder& found) {
  mail::Folder& folder = found.folder;
  if (key == "id") folder.label.external_id = json.Text(value);
  if (key == "displayName") {
    folder.label.name = mail::DecodeHeaderText(json.Text(value));
    mail::TruncateUtf8(folder.label.name, kMaxNameBytes);
  }
  if (key == "parentFolderId") folder.parent_id = json.Text(value);
  if (key == "childFolderCount") found.child_count = json.Number(value);
  if (key == "totalItemCount") folder.total = json.Number(value);
  if (key == "isHidden") folder.label.visible = !GraphJson::True(value);
  if (key == "@odata.type") found.search = json.Raw(value) == "#microsoft.graph.mailSearchFolder";
  return true;
}

}  // namespace

std::uint64_t GraphVersion(Instant last_modified, Instant asked_at) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  constexpr std::int64_t kMaxSeconds = (std::int64_t{1} << 34) - 1;
  constexpr std::int64_t kMaxAge = (std::int64_t{1} << 29) - 1;
  // Our clock and the provider's need not agree.
  constexpr auto kSkew = std::chrono::minutes(10);
  constexpr std::int64_t kUnit = 64;
  const auto changed = std::chrono::floor<seconds>(last_modified.time_since_epoch());
  const auto age = std::chrono::floor<milliseconds>(asked_at.time_since_epoch() - changed + kSkew);
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(changed.count(), 0, kMaxSeconds)) << 29 |
         static_cast<std::uint64_t>(std::clamp<std::int64_t>(age.count() / kUnit, 0, kMaxAge));
}

Result<ParsedGraphMessage> ParseGraphMessage(std::string& json, Instant asked_at) {
  GraphJson document(json);
  MessageReader reader(document, asked_at);
  const bool good =
      document.Read([&](std::string_view key, ondemand::value value) { return reader.Member(key, value); });
  if (!good || reader.id().empty()) return Malformed("message");
  return reader.Take();
}

Result<GraphMessagePage> ParseGraphMessagePage(std::string& json, Instant asked_at) {
  GraphJson document(json);
  GraphMessagePage page;
  bool has_value = false;
  const bool good = document.Read([&](std::string_view key, ondemand::value value) {
    if (key == "@odata.nextLink") page.next_link = document.Text(value);
    if (key == "@odata.deltaLink") page.delta_link = document.Text(value);
    if (key != "value") return true;
    has_value = true;
    return GraphJson::Elements(value, [&](ondemand::value element) {
      ondemand::object object;
      if (element.get_object().get(object) != simdjson::SUCCESS) return false;
      MessageReader reader(document, asked_at);
      if (!reader.Read(object)) return false;
      if (reader.id().empty()) return true;
      if (reader.removed()) {
        page.removed.push_back(reader.id());
      } else {
        page.messages.push_back(reader.Take());
      }
      return true;
    });
  });
  if (!good || !has_value) return Malformed("page of messages");
  return page;
}

Result<GraphAttachmentPage> ParseGraphAttachments(std::string& json) {
  GraphJson document(json);
  GraphAttachmentPage page;
  const bool good = document.Read([&](std::string_view key, ondemand::value value) {
    if (key == "@odata.nextLink") page.next_link = document.Text(value);
    if (key != "value") return true;
    return GraphJson::Elements(value, [&](ondemand::value element) {
      Attachment attachment;
      if (!ReadAttachment(document, element, attachment)) return false;
      if (!attachment.part_id.empty()) page.attachments.push_back(std::move(attachment));
      return true;
    });
  });
  if (!good) return Malformed("attachments");
  return page;
}

Result<GraphFolderPage> ParseGraphFolders(std::string& json) {
  GraphJson document(json);
  GraphFolderPage page;
  bool has_value = false;
  const bool good = document.Read([&](std::string_view key, ondemand::value value) {
    if (key == "@odata.nextLink") page.next_link = document.Text(value);
    if (key != "value") return true;
    has_value = true;
    return GraphJson::Elements(value, [&](ondemand::value element) {
      GraphFolder folder;
      const bool read = GraphJson::MembersOf(element, [&](std::string_view name, ondemand::value member) {
        return ReadFolder(document, name, member, folder);
      });
      if (read && !folder.folder.label.external_id.empty()) page.folders.push_back(std::move(folder));
      return read;
    });
  });
  // An empty list would mean that every folder is gone.
  if (!good || !has_value) return Malformed("folders");
  return page;
}

Result<GraphFolder> ParseGraphFolder(std::string& json) {
  GraphJson document(json);
  GraphFolder folder;
  const bool good = document.Read(
      [&](std::string_view key, ondemand::value value) { return ReadFolder(document, key, value, folder); });
  if (!good || folder.folder.label.external_id.empty()) return Malformed("folder");
  return folder;
}

}  // namespace latchkey::microsoft
