#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/graph/change_listener.hpp"
#include "simulator/graph/mail_render.hpp"
#include "simulator/graph/mail_store.hpp"
#include "simulator/graph/router.hpp"
#include "simulator/schedule.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator::graph {

/// An attachment on its way up, chunk by chunk.
struct UploadSession {
  std::string token;  ///< What the URL carries instead of an Authorization field.
  std::uint64_t message_key = 0;
  MailAttachment attachment;
  std::uint64_t size = 0;
  Instant expires;
};

/// How refused delta tokens look: every form the live service has been seen with.
struct ExpiredForm {
  int status = 410;
  std::string code = "syncStateNotFound";
};

/// One account's mailbox and what the API keeps beside it.
struct Box {
  Box(Spool& spool, std::uint64_t seed, std::uint64_t generation) : store(spool, seed, generation) {}
  MailStore store;
  std::map<std::string, UploadSession> uploads;
  ExpiredForm expired;
};

/// What becomes of a message that was accepted for sending.
struct SendPlan {
  std::size_t deliveries = 1;  ///< To each recipient.
  std::size_t sent_copies = 1;
  std::chrono::milliseconds delay{0};  ///< Before either, on the simulator's clock.
};

/// A message that leaves for other people.
struct OutgoingMail {
  const Account& sender;
  std::vector<std::string> recipients;  ///< Lower case.
  std::string raw;                      ///< Without Bcc.
  bool duplicate = false;               ///< A fault makes it leave once more than asked.
};

/// Everything Graph's mail shares. Loop thread only; what it refers to outlives it.
struct MailState {
  MailState(const Clock& the_clock, const AccountRegistry& the_accounts, const Settings& the_settings,
            Schedule& the_schedule)
      : clock(the_clock), accounts(the_accounts), settings(the_settings), schedule(the_schedule) {}

  /// Made on first use.
  Box& BoxOf(const Account& account);
  std::int64_t NowMilliseconds() const { return ToMicros(clock.Now()) / 1000; }

  const Clock& clock;
  const AccountRegistry& accounts;
  const Settings& settings;
  Schedule& schedule;
  Spool spool;
  std::map<std::string, std::unique_ptr<Box>, std::less<>> boxes;  ///< By the account's object id.
  ChangeListener* listener = nullptr;
  std::function<void(const OutgoingMail&)> deliver = [](const OutgoingMail&) {};
  std::function<SendPlan(const Account&)> plan = [](const Account&) { return SendPlan(); };
};

/// One call on one mailbox.
struct MailCall {
  MailState& state;
  Call& call;
  Box& box;

  MailStore& store() const { return box.store; }
  Instant now() const { return call.now; }
  std::int64_t now_milliseconds() const { return ToMicros(call.now) / 1000; }
  /// Only Mail.ReadBasic was granted: no body, preview or attachments.
  bool basic_only() const {
    return !call.grant.Has("Mail.Read") && !call.grant.Has("Mail.ReadWrite") && call.grant.Has("Mail.ReadBasic");
  }
};

// Shared by the handlers.

/// The message an id names, or Graph's refusal.
std::expected<std::uint32_t, Response> FindMessage(const MailCall& mail, const std::string& id);
std::expected<FolderIndex, Response> FindFolder(const MailCall& mail, const std::string& id);
/// Preferences and $select as rendering needs them.
RenderOptions OptionsOf(const MailCall& mail, const QueryOptions& query);
/// The message as an answer to a call that names it: with @odata.context, selected, basic when that is all there is.
boost::json::object Shaped(const MailCall& mail, std::uint32_t slot, const QueryOptions& query);
Response MessageAnswer(const MailCall& mail, std::uint32_t slot, int status, const QueryOptions& query = {});
/// Takes out what Mail.ReadBasic does not show.
void KeepBasics(boost::json::object& message);

// Messages.
Response ListMessages(const MailCall& mail, std::optional<FolderIndex> folder);
Response CountMessages(const MailCall& mail, std::optional<FolderIndex> folder);
Response GetMessage(const MailCall& mail, const std::string& id);
Response GetMime(const MailCall& mail, const std::string& id);
Response PatchMessage(const MailCall& mail, const std::string& id);
Response DeleteMessage(const MailCall& mail, const std::string& id, bool permanently);
Response MoveMessage(const MailCall& mail, const std::string& id, bool copy);
Response TranslateIds(const MailCall& mail);
Response MessagesDelta(const MailCall& mail, const std::string& folder_segment);

// Folders.
Response ListFolders(const MailCall& mail, FolderIndex parent, std::string_view context);
Response GetFolder(const MailCall& mail, const std::string& id);
Response CreateFolder(const MailCall& mail, FolderIndex parent);
Response PatchFolder(const MailCall& mail, const std::string& id);
Response DeleteFolder(const MailCall& mail, const std::string& id, bool permanently);
Response MoveFolder(const MailCall& mail, const std::string& id);
Response FoldersDelta(const MailCall& mail);

// Drafts and sending.
Response CreateDraft(const MailCall& mail, FolderIndex folder);
enum class ReplyKind { kReply, kReplyAll, kForward };
/// A draft that answers or passes on; `send` sends it at once.
Response Reply(const MailCall& mail, const std::string& id, ReplyKind kind, bool send);
Response SendDraft(const MailCall& mail, const std::string& id);
Response SendMail(const MailCall& mail);

// Attachments.
Response ListAttachments(const MailCall& mail, const std::string& id);
Response GetAttachment(const MailCall& mail, const std::string& id, const std::string& attachment, bool value);
Response AddAttachment(const MailCall& mail, const std::string& id);
Response DeleteAttachment(const MailCall& mail, const std::string& id, const std::string& attachment);
Response CreateUploadSession(const MailCall& mail, const std::string& id);

/// JSON bodies larger than this are refused (413).
inline constexpr std::size_t kMaxJsonBody = 4u << 20;
std::optional<Response> RefuseLargeBody(const MailCall& mail);

}  // namespace latchkey::simulator::graph
