#include "simulator/gmail/listing.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "simulator/gmail/errors.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::size_t kDateDigits = 14;
constexpr std::size_t kIdDigits = 20;
constexpr std::size_t kUsualPage = 100;
constexpr std::size_t kLargestPage = 500;
constexpr std::int64_t kVagueEstimate = 201;

template <class Number>
bool ReadNumber(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Response Forbidden(std::string message) {
  return ErrorResponse(
      {.code = 403, .message = std::move(message), .reason = "forbidden", .status = "PERMISSION_DENIED"});
}

bool ReadFlag(std::string_view text) { return text == "true" || text == "1"; }

}  // namespace

std::string PageTokenAfter(const StoredMessage& message) {
  return fmt::format("{:014}{:020}", std::max<std::int64_t>(message.internal_date, 0), message.id);
}

std::int64_t SizeEstimate(std::size_t count, bool more) {
  return more ? kVagueEstimate : static_cast<std::int64_t>(count);
}

std::expected<Listing, Response> ReadListing(Call& call) {
  const Parameters& query = call.request.query;
  Listing listing;
  std::vector<std::string> ids;
  for (const std::string_view id : query.All("labelIds")) ids.emplace_back(id);
  auto labels = LabelsById(call.mailbox(), ids);
  if (!labels) return std::unexpected(std::move(labels.error()));
  listing.labels = std::move(*labels);
  listing.spam_trash = ReadFlag(query.Get("includeSpamTrash"));
  for (const LabelIndex label : listing.labels) {
    if (label == LabelTable::kSpam || label == LabelTable::kTrash) listing.spam_trash = true;
  }
  if (const std::string_view text = query.Get("q"); !text.empty()) {
    if (MetadataOnly(call.grant)) return std::unexpected(Forbidden("Metadata scope does not support 'q' parameter"));
    listing.search = ParseSearch(text, call.mailbox(), call.state.clock.Now());
    listing.spam_trash = listing.spam_trash || listing.search->includes_spam_trash;
  }
  const std::optional<std::size_t> page = PageSize(call.request, kUsualPage, kLargestPage);
  if (!page) return std::unexpected(InvalidArgument("Invalid value for maxResults"));
  listing.page_size = *page;
  listing.start = call.mailbox().Order().size();
  listing.token = ReadPageToken(call);
  if (const std::string_view token = listing.token.text; !token.empty()) {
    std::int64_t date = 0;
    std::uint64_t id = 0;
    if (token.size() != kDateDigits + kIdDigits || !ReadNumber(token.substr(0, kDateDigits), date) ||
        !ReadNumber(token.substr(kDateDigits), id)) {
      return std::unexpected(InvalidArgument("Invalid pageToken"));
    }
    listing.start = call.mailbox().PositionOf(date, id + 1);
    // A page of one item that repeats would never end.
    if (call.state.quirks.repeated_items && listing.page_size > 1) ++listing.start;
  }
  return listing;
}

ListingFilter::ListingFilter(const Listing& listing, const Mailbox& mailbox)
    : listing_(listing), mailbox_(mailbox), marks_(mailbox.labels().set_count(), Mark::kUnknown) {}

bool ListingFilter::Matches(const StoredMessage& message) {
  Mark& mark = marks_[message.labels];
  if (mark == Mark::kUnknown) {
    bool yes = std::ranges::all_of(listing_.labels, [&](LabelIndex label) { return mailbox_.Has(message, label); });
    if (yes && !listing_.spam_trash) {
      yes = !mailbox_.Has(message, LabelTable::kSpam) && !mailbox_.Has(message, LabelTable::kTrash);
    }
    mark = yes ? Mark::kYes : Mark::kNo;
  }
  return mark == Mark::kYes && (!listing_.search || listing_.search->matches(message));
}

std::optional<Response> RefuseFormat(const Call& call, MessageFormat format) {
  if (!MetadataOnly(call.grant)) return std::nullopt;
  if (format == MessageFormat::kFull) return Forbidden("Metadata scope doesn't allow format FULL");
  if (format == MessageFormat::kRaw) return Forbidden("Metadata scope doesn't allow format RAW");
  return std::nullopt;
}

}  // namespace latchkey::simulator
