#pragma once

#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::sending {

/// The process dies.
struct Crash : std::exception {};

/// As much of Gmail and of Graph as sending touches, with a network that loses, delays and cuts off. What happened at
/// the provider is told by its lists of sent mail. For tests only.
class NastyProvider final : public http_client::HttpClient {
 public:
  NastyProvider(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  /// How likely a request goes wrong, of 100.
  int evil = 40;
  /// Whether the process may die in a request.
  bool crashes = true;
  /// At Gmail: whether the grant covers drafts.
  bool may_draft = true;
  /// The next upload of a draft, or the next call that sends one, is carried out and its answer lost.
  bool lose_next_draft = false, lose_next_send = false;
  /// The next mail that is sent is taken, and nothing leaves.
  bool drop_next_mail = false;

  /// How often each outbox id stands in Sent.
  std::map<std::string, int> Sent() const;
  /// Drafts that are still there.
  std::size_t drafts() const;
  /// Drafts in Deleted Items, where a person finds them.
  std::size_t drafts_in_bin() const;
  /// Carries out what was delayed.
  void Settle();

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override;

 private:
  struct Mail {
    std::string id, outbox_id;
    bool draft = false;
    bool binned = false;
    std::size_t attachments = 0;
    std::int64_t session_bytes = 0;
    Instant date{};
    Instant made{}, written{};  ///< Of drafts.
  };
  struct Later {
    Instant at{};
    http_client::HttpRequest request;
    std::string body;
  };

  http_client::HttpResponse Act(const http_client::HttpRequest& request, std::string_view body);
  http_client::HttpResponse Gmail(const http_client::HttpRequest& request, std::string_view path,
                                  std::string_view body);
  /// `path` behind ".../drafts".
  http_client::HttpResponse GmailDraft(const http_client::HttpRequest& request, std::string_view path,
                                       std::string_view body);
  http_client::HttpResponse Graph(const http_client::HttpRequest& request, std::string_view path,
                                  std::string_view body);
  http_client::HttpResponse Show(const Mail& mail) const;
  std::string Describe(const Mail& mail) const;
  Mail& AddDraft(char kind, std::string_view body);
  /// Says that it took a mail and drops it.
  bool Lies() { return std::exchange(drop_next_mail, false) || (evil > 0 && Roll(200) == 0); }
  int Roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  Mail* FindMail(std::string_view id);
  /// Lists have a mail by the time at which it was sent, not by the age of its draft.
  void MoveToTop(const Mail& mail);

  const Clock& clock_;
  std::mt19937_64 random_;
  std::vector<Mail> mails_;
  std::vector<Later> later_;
  int next_id_ = 1;
  Instant now_{};  ///< When what is carried out arrived.
};

}  // namespace latchkey::sending
