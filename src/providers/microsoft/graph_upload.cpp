#include "providers/microsoft/graph_upload.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"

namespace latchkey::microsoft {
namespace {

using Element = simdjson::dom::element;

/// From here on Graph wants a session, and below it refuses one.
constexpr std::int64_t kSessionFrom = 3 << 20;
/// A multiple of 320 KiB below the 4 MB that are advised.
constexpr std::size_t kPiece = 12 * (320 << 10);
constexpr int kTries = 4;

/// Where the session goes on: the first range it expects; nullopt when the answer does not say.
std::optional<std::int64_t> ExpectedFrom(const std::string& body) {
  simdjson::dom::parser parser;
  Element document;
  if (parser.parse(body).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::array ranges;
  // Outlook's own endpoint spells it with a capital.
  if (document["nextExpectedRanges"].get(ranges) != simdjson::SUCCESS &&
      document["NextExpectedRanges"].get(ranges) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  for (const Element range : ranges) {
    std::string_view text;
    std::int64_t from = 0;
    if (range.get(text) != simdjson::SUCCESS) continue;
    if (std::from_chars(text.data(), text.data() + text.size(), from).ec == std::errc()) return from;
  }
  return std::nullopt;
}

class Session {
 public:
  Session(GraphClient& client, std::string url, std::int64_t size)
      : client_(client), url_(std::move(url)), size_(size) {}

  /// The bytes from where the last piece ended.
  Task<Result<void>> Put(std::string_view piece) {
    const std::int64_t begin = at_;
    const std::int64_t end = begin + static_cast<std::int64_t>(piece.size());
    Error last;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      GraphRequest request{.call = GraphCall::kSend, .method = "PUT", .upload_url = url_};
      request.body = piece.substr(static_cast<std::size_t>(at_ - begin));
      request.content_type = "application/octet-stream";
      request.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", at_, end - 1, size_));
      request.once = true;
      auto answer = co_await client_.Send(request);
      if (answer) {
        at_ = end;
        co_return Result<void>();
      }
      last = std::move(answer.error());
      // Gone after its last piece, whose answer was lost, or for another reason: a matter of the session and no refusal
      // of the mail. The next attempt finds the draft complete, or makes another.
      if (last.code == ErrorCode::kGone) co_return Gone();
      // Refused as not the next piece: it arrived when we had stopped waiting for it.
      const bool arrived = last.code == ErrorCode::kSendRejected;
      if (!arrived && OwnerOf(last.code) != FaultOwner::kProvider) break;
      const auto from = co_await AskWhere();
      if (!from && from.error().code == ErrorCode::kGone) co_return Gone();
      // Behind the end: the piece arrived and only its answer was lost.
      if (from && *from >= begin && *from <= end) at_ = *from;
      if (at_ == end) co_return Result<void>();
    }
    co_return Fail(std::move(last));
  }

 private:
  static std::unexpected<Error> Gone() {
    return Fail(ErrorCode::kProviderUnavailable, "the upload session is complete or gone");
  }

  Task<Result<std::int64_t>> AskWhere() {
    const GraphRequest request{.call = GraphCall::kSend, .upload_url = url_};
    auto answer = co_await client_.Send(request);
    if (!answer) co_return Fail(std::move(answer.error()));
    const auto from = ExpectedFrom(answer->body);
    if (!from) co_return Fail(ErrorCode::kMalformedReply, "graph upload session without a range");
    co_return *from;
  }

  GraphClient& client_;
  std::string url_;
  std::int64_t size_;
  std::int64_t at_ = 0;
};

Task<Result<std::string>> OpenSession(GraphClient& client, const std::string& draft,
                                      const mail::OutgoingAttachment& attachment) {
  json::Writer out;
  out.BeginObject().Key("AttachmentItem").BeginObject();
  out.Member("attachmentType", "file").Member("name", attachment.name).Member("size", attachment.size);
  out.Member("contentType", attachment.mime_type).Member("isInline", attachment.is_inline);
  if (!attachment.content_id.empty()) out.Member("contentId", attachment.content_id);
  out.EndObject().EndObject();
  const GraphRequest request{.call = GraphCall::kSend,
                             .method = "POST",
                             .path = "me/messages/" + PercentEncode(draft) + "/attachments/createUploadSession",
                             .body = out.Take()};
  auto answer = co_await client.Send(request);
  if (!answer) co_return Fail(std::move(answer.error()));
  simdjson::dom::parser parser;
  Element document;
  std::string_view url;
  if (parser.parse(answer->body).get(document) != simdjson::SUCCESS ||
      document["uploadUrl"].get(url) != simdjson::SUCCESS) {
    co_return Fail(ErrorCode::kMalformedReply, "graph upload session without address");
  }
  co_return std::string(url);
}

Task<Result<void>> AttachLarge(GraphClient& client, const std::string& draft,
                               const mail::OutgoingAttachment& attachment, mail::SendJournal& journal) {
  auto url = co_await OpenSession(client, draft, attachment);
  if (!url) co_return Fail(std::move(url.error()));
  Session session(client, std::move(*url), attachment.size);
  std::string piece;
  piece.reserve(kPiece);
  std::optional<Error> failure;
  const std::function<Task<bool>(std::string_view)> sink = [&](std::string_view bytes) -> Task<bool> {
    while (!bytes.empty()) {
      const std::size_t take = std::min(bytes.size(), kPiece - piece.size());
      piece.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      if (piece.size() < kPiece) break;
      auto put = co_await session.Put(piece);
      piece.clear();
      if (!put) {
        failure = std::move(put.error());
        co_return false;
      }
    }
    co_return true;
  };
  auto read = co_await journal.ReadAttachment(attachment, sink);
  if (!read) co_return Fail(std::move(read.error()));
  if (failure) co_return Fail(std::move(*failure));
  if (piece.empty()) co_return Result<void>();
  co_return co_await session.Put(piece);
}

Task<Result<void>> AttachSmall(GraphClient& client, const std::string& draft,
                               const mail::OutgoingAttachment& attachment, mail::SendJournal& journal) {
  std::string bytes;
  const std::function<Task<bool>(std::string_view)> sink = [&bytes](std::string_view piece) -> Task<bool> {
    bytes.append(piece);
    co_return true;
  };
  auto read = co_await journal.ReadAttachment(attachment, sink);
  if (!read) co_return Fail(std::move(read.error()));
  json::Writer out(bytes.size() / 3 * 4 + 512);
  out.BeginObject().Member("@odata.type", "#microsoft.graph.fileAttachment").Member("name", attachment.name);
  out.Member("contentType", attachment.mime_type).Member("isInline", attachment.is_inline);
  if (!attachment.content_id.empty()) out.Member("contentId", attachment.content_id);
  out.Member("contentBytes", Base64Encode(bytes)).EndObject();
  // Made once: repeated after a lost answer it would be there twice.
  const GraphRequest request{.call = GraphCall::kSend,
                             .method = "POST",
                             .path = "me/messages/" + PercentEncode(draft) + "/attachments",
                             .body = out.Take(),
                             .once = true};
  auto answer = co_await client.Send(request);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> AttachFile(GraphClient& client, const std::string& draft_id,
                              const mail::OutgoingAttachment& attachment, mail::SendJournal& journal) {
  if (attachment.size >= kSessionFrom) return AttachLarge(client, draft_id, attachment, journal);
  return AttachSmall(client, draft_id, attachment, journal);
}

}  // namespace latchkey::microsoft
