#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.hpp"

namespace latchkey {

/// RFC 9562 version 7 as lower-case text: time ordered to the millisecond, and monotonic within the process, so that
/// inserts land at the end of an index. Any thread.
std::string NewUuid(Instant now);
/// True for the canonical lower-case 8-4-4-4-12 form.
bool IsUuid(std::string_view text);

/// A UUID that names one kind of thing. `Tag` makes an account's id and a message's id different types.
template <class Tag>
class Id {
 public:
  Id() = default;
  /// Trusts `text`: use it for values that came from our own database.
  explicit Id(std::string text) : text_(std::move(text)) {}
  static Id New(Instant now) { return Id(NewUuid(now)); }
  /// For text from outside; nullopt unless it is a canonical UUID.
  static std::optional<Id> Parse(std::string_view text) {
    if (!IsUuid(text)) return std::nullopt;
    return Id(std::string(text));
  }

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::string text_;
};

using UserId = Id<struct UserTag>;
using SessionId = Id<struct SessionTag>;
using ConnectedAccountId = Id<struct ConnectedAccountTag>;
using ConnectAttemptId = Id<struct ConnectAttemptTag>;
using MessageId = Id<struct MessageTag>;
using JobId = Id<struct JobTag>;

}  // namespace latchkey

template <class Tag>
struct fmt::formatter<latchkey::Id<Tag>> : fmt::formatter<std::string_view> {
  auto format(const latchkey::Id<Tag>& id, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(id.text(), context);
  }
};
template <class Tag>
struct std::hash<latchkey::Id<Tag>> {
  std::size_t operator()(const latchkey::Id<Tag>& id) const { return std::hash<std::string>()(id.text()); }
};
