#include "simulator/mailbox/threading.hpp"

#include "simulator/mime/header.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

// Longer chains are cut: the nearest ancestors decide.
constexpr std::size_t kMaxReferences = 50;

constexpr std::string_view kReplyPrefixes[] = {"re",  "fw",  "fwd", "aw", "wg",   "sv",   "vs",   "antw",
                                               "odp", "res", "rv",  "tr", "回复", "答复", "转发", "回覆"};

/// The length of one reply prefix with its colon ("Re:", "Re[2]:", "AW :"), or 0.
std::size_t PrefixLength(std::string_view subject) {
  for (const std::string_view prefix : kReplyPrefixes) {
    if (!mime::StartsWithNoCase(subject, prefix)) continue;
    std::size_t i = prefix.size();
    if (i < subject.size() && (subject[i] == '[' || subject[i] == '(')) {
      const std::size_t close = subject.find_first_of("])", i);
      if (close == std::string_view::npos) continue;
      i = close + 1;
    }
    while (i < subject.size() && subject[i] == ' ') ++i;
    if (i < subject.size() && subject[i] == ':') return i + 1;
    if (subject.substr(i).starts_with("：")) return i + std::string_view("：").size();
  }
  return 0;
}

/// Every "<...>" of a field, in order.
void AppendIds(std::string_view text, std::vector<std::uint64_t>& out) {
  while (out.size() < kMaxReferences * 2) {
    const std::size_t open = text.find('<');
    if (open == std::string_view::npos) return;
    const std::size_t close = text.find('>', open);
    if (close == std::string_view::npos) return;
    out.push_back(HashText(text.substr(open, close - open + 1)));
    text.remove_prefix(close + 1);
  }
}

}  // namespace

std::uint64_t HashText(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a, then a mixing step.
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash ^= hash >> 32;
  hash *= 0xD6E8FEB86659FD93ULL;
  hash ^= hash >> 32;
  return hash == 0 ? 1 : hash;
}

std::string BaseSubject(std::string_view subject, bool& is_reply) {
  is_reply = false;
  subject = mime::Trim(subject);
  std::string list_tag;
  for (bool again = true; again;) {
    again = false;
    while (const std::size_t length = PrefixLength(subject)) {
      subject = mime::Trim(subject.substr(length));
      is_reply = true;
    }
    // "[list] Re: Plan": the prefix hides behind the tag of a mailing list.
    if (subject.starts_with('[') && list_tag.empty()) {
      const std::size_t close = subject.find(']');
      if (close == std::string_view::npos) break;
      list_tag = std::string(subject.substr(0, close + 1)) + " ";
      subject = mime::Trim(subject.substr(close + 1));
      again = true;
    }
  }
  std::string out;
  for (char c : list_tag + std::string(subject)) {
    if (!mime::IsSpace(c)) {
      out.push_back(mime::LowerChar(c));
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  return std::string(mime::Trim(out));
}

ThreadingKeys ReadThreadingKeys(std::string_view raw) {
  // The fields stand in the first kilobytes; a header of megabytes is cut for this purpose.
  constexpr std::size_t kMaxHeader = 256 * 1024;
  const mime::HeaderBlock header = mime::ParseHeaderBlock(raw.substr(0, kMaxHeader));
  ThreadingKeys keys;
  std::vector<std::uint64_t> ids;
  AppendIds(header.Get("Message-ID"), ids);
  if (!ids.empty()) keys.message_id = ids.front();
  AppendIds(header.Get("In-Reply-To"), keys.references);
  if (keys.references.size() > 1) keys.references.resize(1);
  ids.clear();
  AppendIds(header.Get("References"), ids);
  for (auto id = ids.rbegin(); id != ids.rend() && keys.references.size() < kMaxReferences; ++id) {
    keys.references.push_back(*id);
  }
  const std::string subject = BaseSubject(mime::DecodeText(header.Get("Subject")), keys.is_reply);
  if (!subject.empty()) keys.subject = HashText(subject);
  return keys;
}

}  // namespace latchkey::simulator
