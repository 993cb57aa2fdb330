#include "providers/microsoft/graph_mail.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "providers/microsoft/graph_folders.hpp"
#include "providers/microsoft/graph_message.hpp"

namespace latchkey::microsoft {
namespace {

using mail::FolderPage;
using mail::Lane;
using mail::Message;

constexpr std::size_t kMaxPageBytes = 48 << 20;
constexpr std::size_t kMaxMessageBytes = 64 << 20;
constexpr std::size_t kMaxAttachmentBytes = 160 << 20;
/// Messages of a delta page; bodies come along.
constexpr std::string_view kPageSize = "odata.maxpagesize=50";
constexpr std::string_view kSmallPageSize = "odata.maxpagesize=2";

std::string MessagePath(const std::string& id) { return "me/messages/" + PercentEncode(id); }

class GraphMailbox final : public mail::FolderMailProvider {
 public:
  GraphMailbox(std::shared_ptr<GraphClient> client, WorkerPool& pool) : client_(std::move(client)), pool_(pool) {}

  int MaxConcurrency() const override { return client_->parts().options.max_concurrency; }

  Task<Result<std::vector<mail::Folder>>> ListFolders(Lane lane) override {
    co_return co_await ReadGraphFolders(*client_, lane);
  }

  Task<Result<mail::Folder>> GetFolder(const std::string& folder_id, Lane lane) override {
    const GraphRequest request{
        .call = GraphCall::kFolders, .path = "me/mailFolders/" + PercentEncode(folder_id), .lane = lane};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto folder = ParseGraphFolder(answer->body);
    if (!folder) co_return std::unexpected(std::move(folder.error()));
    co_return std::move(folder->folder);
  }

  Task<Result<FolderPage>> Changes(const std::string& folder_id, const std::string& link, Lane lane) override {
    GraphRequest request{.call = link.empty() ? GraphCall::kDeltaStart : GraphCall::kDeltaLink,
                         .path = link,
                         .lane = lane,
                         .max_response_bytes = kMaxPageBytes};
    if (link.empty()) {
      request.path = "me/mailFolders/" + PercentEncode(folder_id) + "/messages/delta?" + std::string(kMessageSelect) +
                     "&$orderby=receivedDateTime%20desc";
    }
    request.prefer = {std::string(kPageSize)};
    auto page = co_await ReadPage(request);
    if (!page && page.error().code == ErrorCode::kMalformedReply) {
      // Fifty of the largest messages are more than is taken in at once; two are not.
      request.prefer = {std::string(kSmallPageSize)};
      page = co_await ReadPage(request);
    }
    co_return page;
  }

  Task<Result<FolderPage>> Newest(const std::string& folder_id, int limit, Lane lane) override {
    GraphRequest request{.call = GraphCall::kList, .lane = lane, .max_response_bytes = kMaxPageBytes};
    request.path = "me/mailFolders/" + PercentEncode(folder_id) + "/messages?" + std::string(kMessageSelect) +
                   "&$orderby=receivedDateTime%20desc&$top=" + std::to_string(limit);
    co_return co_await ReadPage(request);
  }

  Task<Result<std::vector<mail::LocatedMessage>>> Locate(const std::vector<std::string>& external_ids,
                                                         Lane lane) override {
    const Instant asked_at = client_->parts().clock.Now();
    std::vector<GraphBatchPart> parts;
    for (const std::string& id : external_ids) {
      GraphBatchPart part;
      part.path = MessagePath(id) + "?" + std::string(kStateSelect);
      parts.push_back(std::move(part));
    }
    auto answers = co_await client_->Batch(parts, GraphCall::kMessage, lane);
    if (!answers) co_return std::unexpected(std::move(answers.error()));
    std::vector<mail::LocatedMessage> located;
    for (std::size_t i = 0; i < answers->size(); ++i) {
      mail::LocatedMessage message{.external_id = external_ids[i], .state = Message()};
      auto& answer = (*answers)[i];
      message.state = answer ? StateOf(answer->body, external_ids[i], asked_at)
                             : Result<Message>(std::unexpected(std::move(answer.error())));
      located.push_back(std::move(message));
    }
    co_return located;
  }

  Task<Result<Message>> GetMessage(const std::string& external_id, Lane lane) override {
    const Instant asked_at = client_->parts().clock.Now();
    const GraphRequest request{.call = GraphCall::kMessage,
                               .path = MessagePath(external_id) + "?" + std::string(kMessageSelect),
                               .lane = lane,
                               .max_response_bytes = kMaxMessageBytes};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto parse = [&] { return ParseGraphMessage(answer->body, asked_at); };
    auto parsed = co_await pool_.Run(parse);
    if (!parsed) co_return std::unexpected(std::move(parsed.error()));
    if (!parsed->located) co_return Fail(ErrorCode::kMalformedReply, "graph message: not in any folder");
    if (parsed->has_attachments) {
      const GraphRequest list{.call = GraphCall::kMessage, .path = AttachmentsPath(external_id), .lane = lane};
      auto attachments = co_await client_->Send(list);
      if (!attachments) co_return std::unexpected(std::move(attachments.error()));
      auto added = co_await AddAttachments(parsed->message, attachments->body, lane);
      if (!added) co_return std::unexpected(std::move(added.error()));
    }
    co_return std::move(parsed->message);
  }

  Task<Result<Message>> GetMessageState(const std::string& external_id, Lane lane) override {
    const Instant asked_at = client_->parts().clock.Now();
    const GraphRequest request{
        .call = GraphCall::kMessage, .path = MessagePath(external_id) + "?" + std::string(kStateSelect), .lane = lane};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return StateOf(answer->body, external_id, asked_at);
  }

  Task<Result<void>> GetAttachment(const std::string& external_id, const mail::Attachment& attachment,
                                   const std::function<Task<bool>(std::string_view)>& sink) override {
    bool stopped = false;
    GraphRequest request{
        .call = GraphCall::kAttachment,
        .path = MessagePath(external_id) + "/attachments/" + PercentEncode(attachment.part_id) + "/$value",
        .max_response_bytes = kMaxAttachmentBytes,
        .timeout = std::chrono::minutes(5)};
    request.on_body = [&sink, &stopped](std::string_view bytes) -> Task<bool> {
      stopped = !co_await sink(bytes);
      co_return !stopped;
    };
    auto answer = co_await client_->Send(request);
    if (stopped) co_return Result<void>();
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return Result<void>();
  }

  Task<Result<std::int64_t>> EstimateTotal() override {
    auto folders = co_await ReadGraphFolders(*client_, Lane::kLive);
    if (!folders) co_return std::unexpected(std::move(folders.error()));
    std::int64_t total = 0;
    for (const mail::Folder& folder : *folders) total += folder.total;
    co_return total;
  }

  Task<Result<mail::IdPage>> ListIds(const std::string& page, Lane lane) override {
    const GraphRequest request{.call = page.empty() ? GraphCall::kList : GraphCall::kDeltaLink,
                               .path = page.empty() ? "me/messages?$select=id&$top=1000" : page,
                               .lane = lane};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto parse = [&] { return ParseGraphMessagePage(answer->body, Instant{}); };
    auto parsed = co_await pool_.Run(parse);
    if (!parsed) co_return std::unexpected(std::move(parsed.error()));
    mail::IdPage ids;
    for (auto& message : parsed->messages) ids.ids.push_back(std::move(message.message.external_id));
    if (!parsed->next_link.empty()) {
      auto next = client_->PathOf(parsed->next_link);
      if (!next) co_return std::unexpected(std::move(next.error()));
      ids.next_page = std::move(*next);
    }
    co_return ids;
  }

 private:
  static std::string AttachmentsPath(const std::string& id) {
    return MessagePath(id) + "/attachments?" + std::string(kAttachmentSelect);
  }

  static Result<Message> StateOf(std::string& body, const std::string& id, Instant asked_at) {
    auto parsed = ParseGraphMessage(body, asked_at);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    if (!parsed->located || parsed->message.external_id != id) {
      return Fail(ErrorCode::kMalformedReply, "graph message: another one, or not in any folder");
    }
    return std::move(parsed->message);
  }

  Task<Result<FolderPage>> ReadPage(const GraphRequest& request) {
    FolderPage page;
    page.asked_at = client_->parts().clock.Now();
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto parse = [&] { return ParseGraphMessagePage(answer->body, page.asked_at); };
    auto parsed = co_await pool_.Run(parse);
    if (!parsed) co_return std::unexpected(std::move(parsed.error()));
    answer->body = std::string();
    page.more = !parsed->next_link.empty();
    const bool delta = request.call != GraphCall::kList;
    if (delta) {
      auto link = client_->PathOf(page.more ? parsed->next_link : parsed->delta_link);
      if (!link) co_return std::unexpected(std::move(link.error()));
      page.link = std::move(*link);
    }
    auto filled = co_await Fill(page, std::move(*parsed), request.lane);
    if (!filled) co_return std::unexpected(std::move(filled.error()));
    co_return page;
  }

  /// Sorts what came into what is whole and what has to be read by id; lists the attachments of the former.
  Task<Result<void>> Fill(FolderPage& page, GraphMessagePage parsed, Lane lane) {
    std::vector<GraphBatchPart> parts;
    std::vector<std::size_t> owners;
    // The same message may come twice; the last word counts.
    std::vector<std::string> seen;
    for (auto message = parsed.messages.rbegin(); message != parsed.messages.rend(); ++message) {
      const std::string& id = message->message.external_id;
      if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
      seen.push_back(id);
      if (!message->whole) {
        page.incomplete.push_back(id);
        continue;
      }
      if (message->has_attachments) {
        GraphBatchPart part;
        part.path = AttachmentsPath(id);
        parts.push_back(std::move(part));
        owners.push_back(page.messages.size());
      }
      page.messages.push_back(std::move(message->message));
    }
    page.removed = std::move(parsed.removed);
    auto answers = co_await client_->Batch(parts, GraphCall::kMessage, lane);
    if (!answers) co_return std::unexpected(std::move(answers.error()));
    std::vector<std::size_t> unread;
    for (std::size_t i = 0; i < answers->size(); ++i) {
      auto& answer = (*answers)[i];
      Message& message = page.messages[owners[i]];
      Result<void> added;
      if (answer) {
        added = co_await AddAttachments(message, answer->body, lane);
      } else {
        added = std::unexpected(std::move(answer.error()));
      }
      if (added) continue;
      // Deleted since the page was made: its folder will say so.
      if (added.error().code == ErrorCode::kGone) continue;
      if (!IsOfOneMessage(added.error().code)) co_return added;
      unread.push_back(owners[i]);
    }
    std::sort(unread.rbegin(), unread.rend());
    for (const std::size_t index : unread) {
      page.incomplete.push_back(page.messages[index].external_id);
      page.messages.erase(page.messages.begin() + static_cast<std::ptrdiff_t>(index));
    }
    std::reverse(page.messages.begin(), page.messages.end());
    co_return Result<void>();
  }

  static bool IsOfOneMessage(ErrorCode code) {
    return code == ErrorCode::kMalformedReply || code == ErrorCode::kInvalidArgument || code == ErrorCode::kForbidden ||
           code == ErrorCode::kNotFound || code == ErrorCode::kPayloadTooLarge;
  }

  Task<Result<void>> AddAttachments(Message& message, std::string& body, Lane lane) {
    std::string current = std::move(body);
    for (;;) {
      auto page = ParseGraphAttachments(current);
      if (!page) co_return std::unexpected(std::move(page.error()));
      for (auto& attachment : page->attachments) {
        if (message.attachments.size() >= kMaxAttachments) {
          message.truncated = true;
          co_return Result<void>();
        }
        message.attachments.push_back(std::move(attachment));
      }
      if (page->next_link.empty()) co_return Result<void>();
      auto next = client_->PathOf(page->next_link);
      if (!next) co_return std::unexpected(std::move(next.error()));
      const GraphRequest request{.call = GraphCall::kMessage, .path = std::move(*next), .lane = lane};
      auto answer = co_await client_->Send(request);
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      current = std::move(answer->body);
    }
  }

  std::shared_ptr<GraphClient> client_;
  WorkerPool& pool_;
};

}  // namespace

std::shared_ptr<mail::FolderMailProvider> MakeGraphMailbox(std::shared_ptr<GraphClient> client, WorkerPool& pool) {
  return std::make_shared<GraphMailbox>(std::move(client), pool);
}

}  // namespace latchkey::microsoft
