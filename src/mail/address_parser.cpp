#include "mail/address_parser.hpp"

#include <algorithm>
#include <string>

#include "mail/charset.hpp"
#include "mail/header_text.hpp"

namespace latchkey::mail {
namespace {

constexpr std::size_t kMaxAddressBytes = 512;
constexpr std::size_t kMaxNameBytes = 512;

/// One pass over an address header. Everything it collects belongs to the mailbox being read and is emptied at the next
/// separator, so neither time nor memory grows with nesting.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  AddressList Read() {
    while (at_ < text_.size() && !list_.truncated) Step();
    Finish();
    return std::move(list_);
  }

 private:
  void Step() {
    const char c = text_[at_];
    switch (c) {
      case ',':
      case ';':  // Ends a group, and some senders separate with it.
        ++at_;
        Finish();
        return;
      case ':':
        // What came before is the group's name; its members follow. The bare words are not an address then.
        ++at_;
        if (phrase_.find('@') == std::string::npos) Clear();
        return;
      case '(':
        ReadComment();
        return;
      case '"':
        ReadQuoted();
        return;
      case '<':
        ReadAngle();
        return;
      case '>':
        ++at_;
        return;
      case '=':
        if (const std::size_t length = EncodedWordLength(text_.substr(at_)); length > 0) {
          phrase_.append(text_.substr(at_, length));
          at_ += length;
          return;
        }
        [[fallthrough]];
      default:
        phrase_ += c;
        ++at_;
    }
  }

  void ReadComment() {
    int depth = 0;
    std::string comment;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        comment += text_[at_++];
        continue;
      }
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) break;
      comment += c;
    }
    if (comment_.empty()) comment_ = std::move(comment);
    phrase_ += ' ';
  }

  void ReadQuoted() {
    std::string quoted;
    std::size_t i = at_ + 1;
    bool closed = false;
    while (i < text_.size() && !quote_stays_open_) {
      const char c = text_[i++];
      if (c == '\\' && i < text_.size()) {
        quoted += text_[i++];
        continue;
      }
      if (c == '"') {
        closed = true;
        break;
      }
      quoted += c;
    }
    if (!closed) {
      // A lone quote: read on behind it as if it were not there, so that the address after it is found. No later quote
      // can be closed either; remembering that keeps the time linear.
      quote_stays_open_ = true;
      ++at_;
      return;
    }
    at_ = i;
    // "odd local part"@example.com keeps its quotes.
    if (at_ < text_.size() && text_[at_] == '@') {
      phrase_ += '"' + quoted + '"';
    } else {
      phrase_ += quoted;
      quoted_ = true;
    }
  }

  void ReadAngle() {
    const std::size_t begin = ++at_;
    std::size_t end = begin;
    bool in_quotes = false;
    while (end < text_.size() && (in_quotes || (text_[end] != '>' && text_[end] != '<'))) {
      if (text_[end] == '\\' && in_quotes)
        ++end;
      else if (text_[end] == '"')
        in_quotes = !in_quotes;
      ++end;
    }
    end = std::min(end, text_.size());
    std::string_view inside = text_.substr(begin, end - begin);
    at_ = end < text_.size() && text_[end] == '>' ? end + 1 : end;
    // RFC 5322 section 4.4: an obsolete route "@a,@b:" comes first.
    if (inside.starts_with('@')) {
      if (const std::size_t colon = inside.find(':'); colon != std::string_view::npos) inside.remove_prefix(colon + 1);
    }
    if (has_angle_) {
      // "a@example.com <b@example.com> <c@example.com>": the separator was forgotten.
      Finish();
    }
    has_angle_ = true;
    angle_ = CompactAddress(inside);
  }

  /// Drops blanks and control characters; the domain in lower case.
  static std::string CompactAddress(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 2 * kMaxAddressBytes)) {
      if (static_cast<unsigned char>(c) > ' ' && c != 0x7F) out += c;
    }
    out = CleanUtf8(std::move(out));
    if (AsciiLower(out.substr(0, 7)) == "mailto:") out.erase(0, 7);
    while (!out.empty() && out.back() == '.') out.pop_back();
    TruncateUtf8(out, kMaxAddressBytes);
    if (const std::size_t domain = out.rfind('@'); domain != std::string::npos) {
      out.replace(domain, std::string::npos, AsciiLower(std::string_view(out).substr(domain)));
    }
    return out;
  }

  static std::string CleanName(std::string_view text) {
    std::string decoded = DecodeHeaderText(text);
    // Names come doubly quoted ('"Ann"') and with runs of blanks.
    std::string out;
    bool blank = false;
    for (const char c : decoded) {
      if (c == ' ' || c == '\t') {
        blank = !out.empty();
        continue;
      }
      if (blank) out += ' ';
      blank = false;
      out += c;
    }
    if (out.size() >= 2 && ((out.front() == '\'' && out.back() == '\'') || (out.front() == '"' && out.back() == '"'))) {
      out = out.substr(1, out.size() - 2);
    }
    TruncateUtf8(out, kMaxNameBytes);
    return out;
  }

  void Finish() {
    const std::string_view words = TrimAscii(phrase_);
    Address address;
    if (has_angle_) {
      address.address = angle_;
      address.name = CleanName(words.empty() ? std::string_view(comment_) : words);
      if (address.address.empty() && address.name.empty()) return Clear();
      if (address.address.find('@') == std::string::npos && words.find('@') != std::string_view::npos &&
          words.find(' ') == std::string_view::npos) {
        address.address = CompactAddress(words);
      }
    } else if (words.empty()) {
      return Clear();
    } else if (const std::size_t at = words.find('@'); at != std::string_view::npos && !quoted_) {
      ReadBare(words, address);
    } else {
      // No address at all, such as "undisclosed recipients".
      address.name = CleanName(words);
      if (address.name.find('@') != std::string::npos && address.name.find(' ') == std::string::npos) {
        address.address = CompactAddress(address.name);
        address.name.clear();
      }
      if (address.name.empty() && address.address.empty()) return Clear();
    }
    Clear();
    if (list_.addresses.size() >= kMaxAddresses) {
      list_.truncated = true;
      return;
    }
    list_.addresses.push_back(std::move(address));
  }

  /// "ann@example.com", "ann @ example.com", or a name and an address without brackets.
  void ReadBare(std::string_view words, Address& address) const {
    const std::size_t at = words.rfind('@');
    std::size_t begin = at;
    while (begin > 0 && words[begin - 1] == ' ') --begin;  // "ann @ example.com"
    if (begin > 0 && words[begin - 1] == '"') {
      const std::size_t quote = begin >= 2 ? words.rfind('"', begin - 2) : std::string_view::npos;
      begin = quote == std::string_view::npos ? 0 : quote;
    } else {
      while (begin > 0 && static_cast<unsigned char>(words[begin - 1]) > ' ') --begin;
    }
    std::size_t end = at + 1;
    while (end < words.size() && words[end] == ' ') ++end;
    while (end < words.size() && static_cast<unsigned char>(words[end]) > ' ') ++end;
    address.address = CompactAddress(words.substr(begin, end - begin));
    const std::string_view before = TrimAscii(words.substr(0, begin));
    address.name = CleanName(!before.empty() ? before : std::string_view(comment_));
  }

  void Clear() {
    phrase_.clear();
    angle_.clear();
    comment_.clear();
    has_angle_ = quoted_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  AddressList list_;
  std::string phrase_;
  std::string angle_;
  std::string comment_;
  bool has_angle_ = false;
  bool quoted_ = false;
  bool quote_stays_open_ = false;
};

}  // namespace

AddressList ParseAddressList(std::string_view value) {
  constexpr std::size_t kMaxBytes = 256 << 10;
  AddressList list = Reader(value.substr(0, kMaxBytes)).Read();
  list.truncated = list.truncated || value.size() > kMaxBytes;
  return list;
}

}  // namespace latchkey::mail
