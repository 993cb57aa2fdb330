#pragma once

#include "simulator/graph/graph_service.hpp"
#include "simulator/graph/mail_state.hpp"
#include "simulator/mail_service.hpp"

namespace latchkey::simulator::graph {

/// Graph's mail over all Microsoft accounts, and the control verbs that fill and change their mailboxes. Loop thread
/// only; what it is given outlives it.
class MailArea final : public Area {
 public:
  template <class T>
  using Outcome = std::expected<T, std::string>;

  MailArea(const Clock& clock, const AccountRegistry& accounts, const Settings& settings, Schedule& schedule);

  void AddRoutes(Router& router) override;
  /// PUT and GET of upload sessions: "/api/v2.0/Users(…)/Messages(…)/AttachmentSessions(…)".
  static bool OwnsUpload(const Request& request) { return request.path.starts_with("/api/v2.0/"); }
  Response Upload(Request& request);

  /// Hears of every change from now on.
  void SetListener(ChangeListener& listener) { state_.listener = &listener; }
  /// Carries what was sent to its recipients.
  void SetDelivery(std::function<void(const OutgoingMail&)> deliver) { state_.deliver = std::move(deliver); }
  /// Decides what becomes of each message that is sent.
  void SetSendPlan(std::function<SendPlan(const Account&)> plan) { state_.plan = std::move(plan); }
  /// The id of the folder behind a well-known name or an id; empty when there is none.
  std::string FolderId(const Account& account, const std::string& id_or_name);

  // Control. Errors are sentences for the test's author.
  Outcome<std::size_t> Import(const Account& account, const std::string& file);
  Outcome<std::size_t> ImportSample(const Account& account, Instant now);
  Outcome<boost::json::object> Deliver(const Account& account, const IncomingMessage& message);
  struct Change {
    std::optional<bool> read;
    std::optional<bool> flagged;
    std::optional<std::vector<std::string>> categories;
    std::optional<std::string> folder;
    std::vector<std::string> add_labels, remove_labels;  ///< UNREAD, STARRED, else names of categories.
  };
  Outcome<boost::json::object> ChangeMessage(const Account& account, const std::string& id, const Change& change);
  Outcome<void> Delete(const Account& account, const std::string& id);
  boost::json::object Describe(const Account& account, const MailboxQuery& query);
  boost::json::array DescribeFolders(const Account& account);
  Outcome<boost::json::object> CreateFolder(const Account& account, const std::string& name, const std::string& parent,
                                            bool hidden);
  Outcome<boost::json::object> ChangeFolder(const Account& account, const std::string& id,
                                            const std::optional<std::string>& name,
                                            const std::optional<std::string>& parent);
  Outcome<void> DeleteFolder(const Account& account, const std::string& id);
  /// Every delta token issued so far is refused with `form`; an empty folder means all of them and the tree.
  Outcome<void> ExpireDelta(const Account& account, const std::string& folder, const ExpiredForm& form);

 private:
  /// By well-known name, id or display name.
  Outcome<FolderIndex> FolderFor(MailStore& store, const std::string& text) const;
  boost::json::object DescribeFolder(const MailStore& store, FolderIndex index) const;
  boost::json::object DescribeMessage(const MailStore& store, const Item& item, bool with_text) const;

  MailState state_;
  std::uint64_t seed_;
};

}  // namespace latchkey::simulator::graph
