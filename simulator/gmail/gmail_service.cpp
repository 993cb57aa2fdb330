#include "simulator/gmail/gmail_service.hpp"

#include <fmt/format.h>

#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/fields.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

Response Dispatch(Call& call) {
  switch (call.matched.method->id) {
    case MethodId::kSendAsList:
      return SendAsList(call);
    case MethodId::kGetProfile:
      return GetProfile(call);
    case MethodId::kWatch:
      return WatchMailbox(call);
    case MethodId::kStop:
      return StopWatch(call);
    case MethodId::kLabelsList:
      return LabelsList(call);
    case MethodId::kLabelsGet:
      return LabelsGet(call);
    case MethodId::kLabelsCreate:
      return LabelsCreate(call);
    case MethodId::kLabelsUpdate:
      return LabelsUpdate(call, false);
    case MethodId::kLabelsPatch:
      return LabelsUpdate(call, true);
    case MethodId::kLabelsDelete:
      return LabelsDelete(call);
    case MethodId::kMessagesList:
      return MessagesList(call);
    case MethodId::kMessagesGet:
      return MessagesGet(call);
    case MethodId::kMessagesInsert:
      return MessagesInsert(call, false);
    case MethodId::kMessagesImport:
      return MessagesInsert(call, true);
    case MethodId::kMessagesSend:
      return MessagesSend(call);
    case MethodId::kMessagesModify:
      return MessagesModify(call);
    case MethodId::kMessagesTrash:
      return MessagesTrash(call, true);
    case MethodId::kMessagesUntrash:
      return MessagesTrash(call, false);
    case MethodId::kMessagesDelete:
      return MessagesDelete(call);
    case MethodId::kMessagesBatchModify:
      return MessagesBatchModify(call);
    case MethodId::kMessagesBatchDelete:
      return MessagesBatchDelete(call);
    case MethodId::kAttachmentsGet:
      return AttachmentsGet(call);
    case MethodId::kThreadsList:
      return ThreadsList(call);
    case MethodId::kThreadsGet:
      return ThreadsGet(call);
    case MethodId::kThreadsModify:
      return ThreadsModify(call);
    case MethodId::kThreadsTrash:
      return ThreadsTrash(call, true);
    case MethodId::kThreadsUntrash:
      return ThreadsTrash(call, false);
    case MethodId::kThreadsDelete:
      return ThreadsDelete(call);
    case MethodId::kDraftsList:
      return DraftsList(call);
    case MethodId::kDraftsGet:
      return DraftsGet(call);
    case MethodId::kDraftsCreate:
      return DraftsSave(call, "");
    case MethodId::kDraftsUpdate:
      return DraftsSave(call, call.parameter(0));
    case MethodId::kDraftsDelete:
      return DraftsDelete(call);
    case MethodId::kDraftsSend:
      return DraftsSend(call);
    case MethodId::kHistoryList:
      return HistoryList(call);
  }
  return NotFound();
}

/// Partial response and indentation, for answers that are JSON and no error.
void ShapeAnswer(const Request& request, Response& response) {
  if (response.status != 200 || response.body.empty()) return;
  if (const std::string_view fields = request.query.Get("fields"); !fields.empty()) {
    std::optional<std::string> selected = SelectFields(response.body, fields);
    if (!selected) {
      response = ErrorResponse({.code = 400,
                                .message = fmt::format("Invalid field selection {}", fields),
                                .reason = "invalidParameter",
                                .status = "INVALID_ARGUMENT"});
      return;
    }
    response.body = std::move(*selected);
  }
  // Google indents unless told otherwise; here it is the other way round, because nobody reads and everybody waits.
  if (request.query.Get("prettyPrint") == "true") response.body = PrettyPrint(response.body);
}

bool IsBatch(const Request& request) { return !request.segments.empty() && request.segments[0] == "batch"; }

}  // namespace

Response GmailService::Handle(Request& request, const Grant& grant) {
  return IsBatch(request) ? HandleBatch(request, grant) : HandleOne(request, grant);
}

Response GmailService::HandleOne(Request& request, const Grant& grant) {
  MatchedMethod matched = MatchMethod(request);
  if (matched.method == nullptr) return NotFound();
  const Account& account = *grant.account;
  if (matched.user != "me" && !mime::EqualsNoCase(matched.user, account.email)) return DelegationDenied(matched.user);
  if (!Permits(*matched.method, grant)) {
    return InsufficientScopes(fmt::format("caribou.api.proto.MailboxService.{}", matched.method->rpc),
                              "https://mail.google.com/");
  }
  if (!account.has_mailbox) return MailServiceNotEnabled();
  if (const std::string_view alt = request.query.Get("alt"); !alt.empty() && alt != "json") {
    return InvalidArgument(fmt::format("Invalid value \"{}\" for alt: only json is supported", alt));
  }
  if (auto refused = state_.quota.Charge(account.email, *matched.method, state_.clock.Now())) {
    return std::move(*refused);
  }
  Call call{
      .state = state_, .request = request, .grant = grant, .box = state_.Box(account), .matched = std::move(matched)};
  Response response = Dispatch(call);
  ShapeAnswer(request, response);
  return response;
}

boost::json::object GmailService::QuotaCounters() const { return state_.quota.Counters(state_.clock.Now()); }

std::unique_ptr<MailService> MakeGmailService(const Clock& clock, const AccountRegistry& accounts, std::uint64_t seed) {
  return std::make_unique<GmailService>(clock, accounts, seed);
}

}  // namespace latchkey::simulator
