#include "providers/google/gmail.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "mail/charset.hpp"
#include "providers/google/attachment_stream.hpp"
#include "providers/google/gmail_answers.hpp"

namespace latchkey::google {
namespace {

using mail::Lane;

/// Units per call, as of May 2026 (Gmail API, "Usage limits").
constexpr std::int64_t kProfileUnits = 1, kLabelsUnits = 1, kHistoryUnits = 2, kListUnits = 5, kGetUnits = 20;

/// The cursor of the live lane: a history id, and while a run of pages is being read, a blank and the next page's
/// token.
struct HistoryCursor {
  std::string start, page;

  static HistoryCursor Parse(const std::string& text) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string::npos) return {.start = text, .page = {}};
    return {.start = text.substr(0, blank), .page = text.substr(blank + 1)};
  }
};

class GmailMailbox final : public mail::MailProvider {
 public:
  GmailMailbox(const GoogleParts& parts, MessageParser& parser, ConnectedAccountId account)
      : client_(parts, std::move(account)), parser_(parser) {}

  int MaxConcurrency() const override { return client_.parts().options.max_concurrency; }

  Task<Result<std::string>> CurrentCursor() override {
    auto profile = co_await ReadProfile();
    if (!profile) co_return std::unexpected(std::move(profile.error()));
    // The estimate is asked for next; it came with the same answer.
    total_ = profile->messages_total;
    co_return std::move(profile->history_id);
  }

  Task<Result<std::int64_t>> EstimateTotal() override {
    if (const auto total = std::exchange(total_, std::nullopt)) co_return *total;
    auto profile = co_await ReadProfile();
    if (!profile) co_return std::unexpected(std::move(profile.error()));
    co_return profile->messages_total;
  }

  Task<Result<std::vector<mail::Label>>> ListLabels() override {
    const GoogleRequest request{.call = GoogleCall::kLabels, .path = "labels", .units = kLabelsUnits};
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseLabels(*body);
  }

  Task<Result<mail::ChangePage>> Changes(const std::string& cursor, Lane lane) override {
    const HistoryCursor position = HistoryCursor::Parse(cursor);
    auto page = co_await ReadHistory(position, lane);
    if (!page && page.error().code == ErrorCode::kCursorExpired && !position.page.empty()) {
      // Only the page's token died; the history itself is read again from where the run began.
      const HistoryCursor start{.start = position.start, .page = {}};
      page = co_await ReadHistory(start, lane);
    }
    if (!page) co_return std::unexpected(std::move(page.error()));
    mail::ChangePage result;
    result.added = std::move(page->added);
    result.label_changes = std::move(page->label_changes);
    result.deleted = std::move(page->deleted);
    result.more = !page->next_page.empty();
    result.next_cursor = result.more ? position.start + ' ' + page->next_page : page->history_id;
    co_return result;
  }

  Task<Result<mail::IdPage>> ListIds(const std::string& page, Lane lane) override {
    GoogleRequest request{.call = GoogleCall::kList,
                          .path =
                              "messages?includeSpamTrash=true&maxResults=500&fields=messages/"
                              "id,nextPageToken,resultSizeEstimate",
                          .units = kListUnits,
                          .lane = lane};
    if (!page.empty()) request.path += "&pageToken=" + PercentEncode(page);
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseIdPage(*body);
  }

  Task<Result<mail::Message>> GetMessage(const std::string& external_id, Lane lane) override {
    GoogleRequest request{.call = GoogleCall::kMessage,
                          .path = "messages/" + PercentEncode(external_id) + "?format=full",
                          .units = kGetUnits,
                          .lane = lane};
    auto body = co_await client_.Get(request);
    if (!body && body.error().code == ErrorCode::kMalformedReply) {
      // Larger than we take in: its envelope alone, marked as cut.
      request.path = "messages/" + PercentEncode(external_id) + "?format=metadata";
      body = co_await client_.Get(request);
      if (!body) co_return std::unexpected(std::move(body.error()));
      auto envelope = co_await parser_.Parse(std::move(*body));
      if (!envelope) co_return std::unexpected(std::move(envelope.error()));
      envelope->message.truncated = true;
      co_return std::move(envelope->message);
    }
    if (!body) co_return std::unexpected(std::move(body.error()));
    auto parsed = co_await parser_.Parse(std::move(*body));
    if (!parsed) co_return std::unexpected(std::move(parsed.error()));
    if (!parsed->deferred.empty()) {
      auto filled = co_await FetchDeferred(*parsed, lane);
      if (!filled) co_return std::unexpected(std::move(filled.error()));
    }
    co_return std::move(parsed->message);
  }

  Task<Result<mail::Message>> GetMessageState(const std::string& external_id, Lane lane) override {
    const GoogleRequest request{
        .call = GoogleCall::kMessage,
        .path = "messages/" + PercentEncode(external_id) +
                "?format=minimal&fields=id,threadId,labelIds,historyId,internalDate,sizeEstimate",
        .units = kGetUnits,
        .lane = lane};
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    auto parsed = co_await parser_.Parse(std::move(*body));
    if (!parsed) co_return std::unexpected(std::move(parsed.error()));
    co_return std::move(parsed->message);
  }

  Task<Result<void>> GetAttachment(const std::string& external_id, const mail::Attachment& attachment,
                                   const std::function<Task<bool>(std::string_view)>& sink) override {
    if (!attachment.provider_id.empty()) {
      auto streamed = co_await StreamAttachment(external_id, attachment.provider_id, Lane::kLive, sink);
      if (streamed || streamed.error().code != ErrorCode::kGone) co_return streamed;
    }
    // Attachment ids change between reads of a message; the part's own id does not.
    GoogleRequest request{.call = GoogleCall::kMessage,
                          .path = "messages/" + PercentEncode(external_id) + "?format=full",
                          .units = kGetUnits};
    request.max_response_bytes = 40 << 20;
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    auto find = [&] { return FindPartBody(*body, attachment.part_id); };
    auto part = co_await client_.parts().pool.Run(find);
    if (!part) co_return std::unexpected(std::move(part.error()));
    if (part->attachment_id.empty()) {
      co_await sink(part->bytes);
      co_return Result<void>();
    }
    co_return co_await StreamAttachment(external_id, part->attachment_id, Lane::kLive, sink);
  }

 private:
  Task<Result<Profile>> ReadProfile() {
    const GoogleRequest request{
        .call = GoogleCall::kProfile, .path = "profile?fields=historyId,messagesTotal", .units = kProfileUnits};
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseProfile(*body);
  }

  Task<Result<HistoryPage>> ReadHistory(const HistoryCursor& position, Lane lane) {
    GoogleRequest request{
        .call = GoogleCall::kHistory,
        .path = "history?maxResults=500&startHistoryId=" + PercentEncode(position.start) +
                "&fields=history(id,messagesAdded/message/id,messagesDeleted/message/id,labelsAdded(message/"
                "id,labelIds),labelsRemoved(message/id,labelIds)),nextPageToken,historyId",
        .units = kHistoryUnits,
        .lane = lane};
    if (!position.page.empty()) request.path += "&pageToken=" + PercentEncode(position.page);
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseHistory(*body);
  }

  /// Text parts that Gmail keeps apart, one after the other; each is cut at what we keep of a body.
  Task<Result<void>> FetchDeferred(ParsedMessage& parsed, Lane lane) {
    for (const DeferredText& part : parsed.deferred) {
      std::string bytes;
      const std::function<Task<bool>(std::string_view)> collect = [&bytes](std::string_view piece) -> Task<bool> {
        bytes.append(piece);
        co_return bytes.size() <= kMaxBodyBytes;
      };
      auto streamed = co_await StreamAttachment(parsed.message.external_id, part.attachment_id, lane, collect);
      if (!streamed) {
        // Without the text the rest of the message is still worth having.
        if (streamed.error().code == ErrorCode::kGone || streamed.error().code == ErrorCode::kMalformedReply) {
          parsed.message.truncated = true;
          continue;
        }
        co_return streamed;
      }
      AddBodyText(parsed.message, part, bytes);
    }
    CompleteMessage(parsed.message);
    co_return Result<void>();
  }

  Task<Result<void>> StreamAttachment(const std::string& external_id, const std::string& attachment_id, Lane lane,
                                      const std::function<Task<bool>(std::string_view)>& sink) {
    AttachmentStream stream;
    bool stopped = false;
    GoogleRequest request{.call = GoogleCall::kAttachment,
                          .path = "messages/" + PercentEncode(external_id) + "/attachments/" +
                                  PercentEncode(attachment_id) + "?fields=data",
                          .units = kGetUnits,
                          .lane = lane,
                          .max_response_bytes = 256 << 20,
                          .timeout = std::chrono::minutes(30)};
    request.on_body = [&stream, &sink, &stopped](std::string_view bytes) -> Task<bool> {
      const std::string decoded = stream.Feed(bytes);
      if (stream.broken()) co_return false;
      if (decoded.empty()) co_return true;
      stopped = !co_await sink(decoded);
      co_return !stopped;
    };
    request.streamed_error = [&stream] { return std::exchange(stream, AttachmentStream()).head(); };
    auto answer = co_await client_.Get(request);
    if (stopped) co_return Result<void>();
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    if (!stream.complete()) co_return Fail(ErrorCode::kMalformedReply, "gmail attachment: no data");
    co_return Result<void>();
  }

  GoogleClient client_;
  MessageParser& parser_;
  std::optional<std::int64_t> total_;
};

}  // namespace

GmailProviders::GmailProviders(GoogleParts parts) : parts_(std::move(parts)), parser_(parts_.pool) {}
GmailProviders::~GmailProviders() = default;

Result<std::shared_ptr<mail::MailProvider>> GmailProviders::For(const ConnectedAccountId& account,
                                                                std::string_view provider) {
  if (provider != "google") return Fail(ErrorCode::kNotFound, "no mail adapter for this provider");
  return std::make_shared<GmailMailbox>(parts_, parser_, account);
}

}  // namespace latchkey::google
