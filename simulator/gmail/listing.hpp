#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/gmail/api.hpp"
#include "simulator/gmail/render.hpp"
#include "simulator/gmail/search.hpp"

namespace latchkey::simulator {

/// What the list methods have in common: labelIds, q, includeSpamTrash, maxResults, pageToken.
struct Listing {
  LabelSet labels;
  std::optional<Search> search;
  bool spam_trash = false;
  std::size_t page_size = 100;
  PageToken token;
  std::size_t start = 0;  ///< Position in Mailbox::Order() before which (newest first) the page begins.
};

std::expected<Listing, Response> ReadListing(Call& call);

/// Whether `message` belongs to the listing. Decisions by label are made once per label set.
class ListingFilter {
 public:
  ListingFilter(const Listing& listing, const Mailbox& mailbox);
  bool Matches(const StoredMessage& message);

 private:
  enum class Mark : std::uint8_t { kUnknown, kYes, kNo };
  const Listing& listing_;
  const Mailbox& mailbox_;
  std::vector<Mark> marks_;
};

/// Calls `visit` for matching messages until it returns false.
template <class Visitor>
void VisitNewestFirst(const Listing& listing, const Mailbox& mailbox, const Visitor& visit) {
  ListingFilter filter(listing, mailbox);
  const std::vector<std::uint32_t>& order = mailbox.Order();
  for (std::size_t i = std::min(listing.start, order.size()); i > 0; --i) {
    const StoredMessage& message = mailbox.Slot(order[i - 1]);
    if (filter.Matches(message) && !visit(message)) return;
  }
}

/// The token of a page that begins with `message`: where it stands in the order, so that mail which arrives or goes
/// between two pages neither repeats nor hides other mail.
std::string PageTokenAfter(const StoredMessage& message);

/// Google's estimate: right for a single page, a constant for more (recorded: 201 for a mailbox of 782).
std::int64_t SizeEstimate(std::size_t count, bool more);

/// The answer for formats that the grant's scopes do not open.
std::optional<Response> RefuseFormat(const Call& call, MessageFormat format);

}  // namespace latchkey::simulator
