#pragma once

#include <stdexcept>
#include <vector>

#include <boost/json/serialize.hpp>

#include "simulator/mail_service.hpp"

namespace latchkey::simulator::testing {

/// A mail service that remembers what it was told. Every API call answers {"who": address, "path": target}.
class FakeMail final : public MailService {
 public:
  Response Handle(Request& request, const Grant& grant) override {
    boost::json::object body;
    body["who"] = grant.account->email;
    body["path"] = request.target;
    if (part_gate_ && request.path == "/batch/gmail/v1") {
      Request part;
      part.method = "GET";
      part.SetTarget(request.body);
      const auto replaced = part_gate_(part, grant);
      body["part_status"] = replaced ? replaced->status : 200;
    }
    ++handled;
    if (throws) throw std::runtime_error("told to fail");
    return JsonResponse(200, boost::json::serialize(body));
  }
  void SetPartGate(PartGate gate) override { part_gate_ = std::move(gate); }
  void SetForward(Forward) override {}
  Outcome<std::size_t> Import(const Account&, const std::string& file) override {
    if (file == "missing.mbox") return std::unexpected(std::string("there is no missing.mbox"));
    return 0;
  }
  Outcome<std::size_t> ImportSample(const Account&, Instant) override { return 3; }
  Outcome<boost::json::object> Deliver(const Account&, IncomingMessage message) override {
    delivered.push_back(std::move(message));
    return boost::json::object{{"id", std::to_string(delivered.size())}, {"threadId", "t"}, {"historyId", "1"}};
  }
  Outcome<void> ModifyLabels(const Account&, std::string_view message_id, const std::vector<std::string>& add,
                             const std::vector<std::string>& remove) override {
    if (message_id == "none") return std::unexpected(std::string("there is no message none"));
    modified = std::string(message_id) + " +" + std::to_string(add.size()) + " -" + std::to_string(remove.size());
    return {};
  }
  Outcome<void> Delete(const Account&, std::string_view message_id) override {
    deleted = message_id;
    return {};
  }
  void ExpireHistory(const Account& account) override { expired = account.email; }
  boost::json::object Describe(const Account&, const MailboxQuery& query) const override {
    return {{"total", 0}, {"offset", query.offset}, {"limit", query.limit}, {"text", query.with_text}};
  }
  void EnforceQuota(bool enforce) override { enforces_quota = enforce; }
  void SetListQuirks(ListQuirks) override {}
  boost::json::object QuotaCounters() const override { return {{"ada@example.com", {{"units", 20}}}}; }
  void ResetCounters() override {}
  boost::json::array PubSubMessages(bool) override { return {}; }

  int handled = 0;
  bool throws = false;
  std::vector<IncomingMessage> delivered;
  std::string modified;
  std::string deleted;
  std::string expired;
  bool enforces_quota = false;

 private:
  PartGate part_gate_;
};

}  // namespace latchkey::simulator::testing
