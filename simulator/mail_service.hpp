#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/grant.hpp"
#include "simulator/http/message.hpp"
#include "simulator/schedule.hpp"
#include "simulator/send_plan.hpp"
#include "simulator/sent/sent_log.hpp"

namespace latchkey::simulator {

/// A message that arrives from outside (control API, import).
struct IncomingMessage {
  std::string raw;                       ///< RFC 5322 bytes.
  std::vector<std::string> label_ids;    ///< Empty: INBOX, UNREAD.
  std::string folder;                    ///< Microsoft: well-known name, id or display name; empty: by the labels.
  std::string thread_id;                 ///< Empty: threaded by References/In-Reply-To, else a new thread.
  std::optional<Instant> internal_date;  ///< Absent: now.
};

/// Which messages a control request lists, and how much of each.
struct MailboxQuery {
  std::size_t offset = 0;
  std::size_t limit = 1000;
  bool with_text = false;        ///< Include the decoded text, not only its hash.
  bool include_deleted = false;  ///< List permanently deleted ids as well.
};

/// Ways in which real pages of lists are awkward, and which a client must survive.
struct ListQuirks {
  bool empty_pages = false;     ///< Before each page comes one without items, with a nextPageToken.
  bool repeated_items = false;  ///< Each page begins with the last item of the page before.
};

/// Mail behind the API host and the control API; implemented by simulator/gmail. Loop thread only.
/// Control verbs answer with a sentence for the test author when they cannot do what was asked.
class MailService {
 public:
  template <class T>
  using Outcome = std::expected<T, std::string>;

  /// Runs the gate a single request passes (faults, counters) for one part of a batch. A value replaces the part's
  /// answer.
  using PartGate = std::function<std::optional<Response>(const Request& part, const Grant& grant)>;

  virtual ~MailService() = default;

  /// /gmail/v1/..., /upload/gmail/v1/..., /resumable/upload/gmail/v1/..., /batch/gmail/v1. The token was checked
  /// already (401 never comes from here); scopes, quota units and everything after that are the service's own to check.
  virtual Response Handle(Request& request, const Grant& grant) = 0;
  virtual void SetPartGate(PartGate gate) = 0;
  /// Where mail to people with a mailbox elsewhere goes (a Microsoft account).
  using Forward = std::function<void(const Account& to, const std::string& raw)>;
  virtual void SetForward(Forward forward) = 0;

  /// Fills the account's mailbox from a file before serving: mbox (plain or gzip), a folder of .eml, .jsonl, or "-" for
  /// JSON Lines on standard input. Returns the number of messages; the error names the file and says what to do.
  virtual Outcome<std::size_t> Import(const Account& account, const std::string& file) = 0;
  /// Fills it with the project's sample mailbox, its newest mail shortly before `now`. The same `now` gives the same
  /// ids.
  virtual Outcome<std::size_t> ImportSample(const Account& account, Instant now) = 0;

  /// Returns {"id", "threadId", "historyId"}.
  virtual Outcome<boost::json::object> Deliver(const Account& account, IncomingMessage message) = 0;
  /// Adds and removes label ids as the owner would in Gmail's own web page. Unknown user labels are created by name.
  virtual Outcome<void> ModifyLabels(const Account& account, std::string_view message_id,
                                     const std::vector<std::string>& add, const std::vector<std::string>& remove) = 0;
  /// Permanent deletion (messagesDeleted in the history).
  virtual Outcome<void> Delete(const Account& account, std::string_view message_id) = 0;

  /// From now on history.list answers 404 for every start id issued so far.
  virtual void ExpireHistory(const Account& account) = 0;

  /// The oracle's view: {"total", "historyId", "labels": [...], "messages": [{id, threadId, historyId, labelIds,
  /// subject, from, to, cc, bcc, date, internalDate, snippet, text, textHash, htmlHash, attachments: [{filename,
  /// mimeType, size}]}]}, newest first.
  virtual boost::json::object Describe(const Account& account, const MailboxQuery& query) const = 0;

  /// Whether units per minute are enforced (they are always counted).
  virtual void EnforceQuota(bool enforce) = 0;
  /// Per account address: {"units": total, "unitsLastMinute": n, "byMethod": {"messages.get": {"calls": n, "units":
  /// n}}}.
  virtual boost::json::object QuotaCounters() const = 0;
  /// For messages.list, threads.list and history.list, from now on.
  virtual void SetListQuirks(ListQuirks quirks) = 0;
  virtual void ResetCounters() = 0;

  /// Gives the service the clockwork for delayed dispatch and the log of what leaves. Both outlive it. Without them it
  /// sends at once and logs nothing.
  virtual void SetDispatch(Schedule&, SentLog&) {}
  /// What becomes of mail that requests send from now on. The caller sets it before each request that may send.
  virtual void PlanSend(const SendPlan&) {}
  /// Called with each Pub/Sub envelope that watch makes.
  virtual void OnPubSubMessage(std::function<void(const boost::json::object&)>) {}

  /// Push messages made by watch, oldest first, Pub/Sub shaped; `clear` forgets them.
  virtual boost::json::array PubSubMessages(bool clear) = 0;
};

/// Made by simulator/gmail. `seed` decides ids and every other arbitrary choice. Clock and accounts outlive the
/// service.
std::unique_ptr<MailService> MakeGmailService(const Clock& clock, const AccountRegistry& accounts, std::uint64_t seed);

}  // namespace latchkey::simulator
