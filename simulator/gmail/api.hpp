#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"
#include "simulator/gmail/methods.hpp"
#include "simulator/gmail/quota.hpp"
#include "simulator/gmail/upload.hpp"
#include "simulator/gmail/watch.hpp"
#include "simulator/grant.hpp"
#include "simulator/http/message.hpp"
#include "simulator/mail_service.hpp"
#include "simulator/mailbox/mailbox.hpp"

namespace latchkey::simulator {

/// One account's mailbox and what the API keeps beside it.
struct UserBox {
  UserBox(Spool& spool, std::uint64_t seed, std::uint64_t first_history_id) : mailbox(spool, seed, first_history_id) {}
  Mailbox mailbox;
  std::map<std::string, std::uint64_t> drafts;  ///< "r-514009792300065821" to the id of its present message.
};

/// Everything the methods share. Loop thread only.
struct ApiState {
  ApiState(const Clock& the_clock, const AccountRegistry& the_accounts, std::uint64_t seed)
      : clock(the_clock), accounts(the_accounts), random(seed) {}

  /// The mailbox of an account; made on first use.
  UserBox& Box(const Account& account);
  std::uint64_t NextNonce();
  /// "r-514009792300065821"
  std::string NewDraftId() { return "r-" + std::to_string(NextNonce() >> 1); }
  std::int64_t NowMilliseconds() const { return ToMicros(clock.Now()) / 1000; }

  const Clock& clock;
  const AccountRegistry& accounts;
  std::uint64_t random;
  Spool spool;
  Quota quota;
  Uploads uploads;
  Watches watches;
  ListQuirks quirks;
  MailService::Forward forward;  ///< May be empty.
  Schedule* schedule = nullptr;  ///< Absent in tests that need neither.
  SentLog* sent = nullptr;
  SendPlan send_plan;
  std::map<std::string, std::unique_ptr<UserBox>, std::less<>> boxes;  ///< By the account's sub.
};

/// One request on its way through a method.
struct Call {
  ApiState& state;
  Request& request;
  const Grant& grant;
  UserBox& box;
  MatchedMethod matched;

  Mailbox& mailbox() { return box.mailbox; }
  std::string_view parameter(std::size_t index) const { return matched.parameters[index]; }
};

// The methods. Each answers in Google's shape whatever it was given.
Response GetProfile(Call& call);
/// The account's own address, its aliases, and those that are not confirmed.
Response SendAsList(Call& call);
Response WatchMailbox(Call& call);
Response StopWatch(Call& call);
Response LabelsList(Call& call);
Response LabelsGet(Call& call);
Response LabelsCreate(Call& call);
/// PUT and PATCH.
Response LabelsUpdate(Call& call, bool patch);
Response LabelsDelete(Call& call);
Response MessagesList(Call& call);
Response MessagesGet(Call& call);
Response MessagesInsert(Call& call, bool import);
Response MessagesSend(Call& call);
Response MessagesModify(Call& call);
Response MessagesTrash(Call& call, bool trash);
Response MessagesDelete(Call& call);
Response MessagesBatchModify(Call& call);
Response MessagesBatchDelete(Call& call);
Response AttachmentsGet(Call& call);
Response ThreadsList(Call& call);
Response ThreadsGet(Call& call);
Response ThreadsModify(Call& call);
Response ThreadsTrash(Call& call, bool trash);
Response ThreadsDelete(Call& call);
Response DraftsList(Call& call);
Response DraftsGet(Call& call);
/// Creates, or replaces when `id` names one.
Response DraftsSave(Call& call, std::string_view id);
Response DraftsDelete(Call& call);
Response DraftsSend(Call& call);
Response HistoryList(Call& call);

// Shared by the methods.

/// Whether this request is answered with an empty page, and the page token without the mark of an earlier empty page.
struct PageToken {
  std::string_view text;
  bool answer_empty = false;
};
PageToken ReadPageToken(const Call& call);
/// The token of the page that follows an empty one.
std::string TokenAfterEmptyPage(std::string_view token);
/// maxResults within 1 to `most`; `most` also stands for larger values, as Gmail treats them. nullopt: not a number.
std::optional<std::size_t> PageSize(const Request& request, std::size_t usual, std::size_t most);
/// Known label ids to indexes. The error is Gmail's "Invalid label: X".
std::expected<LabelSet, Response> LabelsById(const Mailbox& mailbox, const std::vector<std::string>& ids);
/// The same for labels that a client may set: SENT, DRAFT and CHAT are refused.
std::expected<LabelSet, Response> SettableLabels(const Mailbox& mailbox, const std::vector<std::string>& ids);
/// The array of texts under `name`; empty when absent.
std::vector<std::string> TextArray(const boost::json::object& object, std::string_view name);
/// "" when absent or no text.
std::string TextMember(const boost::json::object& object, std::string_view name);
/// The message resource of an upload or of a JSON body, its raw bytes decoded.
std::expected<UploadedMessage, Response> ReadMessageBody(Call& call);
/// Delivers `raw` into the mailbox of every local account among `recipients` but `except`.
void DeliverLocally(ApiState& state, const std::vector<std::string>& recipients, const Account& except,
                    const std::string& raw);
/// Where a sent message belongs: to the thread that its writer named, if it may; `settled`: it does in any case.
struct SentThread {
  std::optional<std::uint64_t> id;
  bool settled = false;
};
/// Sends as messages.send does, with the message's own labels already gone.
Response SendRaw(Call& call, std::string_view raw, const SentThread& thread);
/// Milliseconds since 1970 of the Date field; nullopt when it cannot be read or lies before 1970 or after `now`.
std::optional<std::int64_t> DateOf(std::string_view raw, std::int64_t now);

}  // namespace latchkey::simulator
