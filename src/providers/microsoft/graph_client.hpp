#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/secret.hpp"
#include "connected_accounts/account_store.hpp"
#include "http_client/http_client.hpp"
#include "limits/seats.hpp"
#include "mail/mail_provider.hpp"
#include "providers/microsoft/graph_errors.hpp"
#include "providers/microsoft/request_gate.hpp"
#include "sync/provider_pause.hpp"

namespace latchkey::microsoft {

struct GraphOptions {
  /// With or without "/v1.0" at its end.
  std::string base_url = "https://graph.microsoft.com/v1.0";
  /// Requests in flight per mailbox; Graph refuses the fifth.
  int max_concurrency = 4;
  /// Requests in flight over all mailboxes; 0: no limit.
  int max_total_concurrency = 0;
  std::chrono::milliseconds request_timeout = std::chrono::seconds(60);
  /// First pause before a call that met a passing fault is made again; doubled for the next one.
  std::chrono::milliseconds retry_delay = std::chrono::milliseconds(250);
  int max_retries = 2;
  /// First pause of an account after a refusal that does not say how long; doubled for each one in a row, up to five
  /// minutes.
  std::chrono::milliseconds throttle_delay = std::chrono::seconds(2);
};

/// What the clients of all accounts share. Everything named here outlives them.
struct GraphParts {
  http_client::HttpClient& http;
  connected_accounts::TokenSource& tokens;
  const Clock& clock;
  GraphOptions options;
  /// Where the waits that Graph asked for survive the process; nullptr keeps them in the client alone.
  sync::ProviderPauses* pauses = nullptr;
  /// Requests in flight per mailbox over all processes; nullptr: there are no others.
  limits::Seats* seats = nullptr;
};

/// One request to Graph.
struct GraphRequest {
  GraphCall call = GraphCall::kMessage;
  std::string method = "GET";
  /// Behind /v1.0/, with query: ids percent-encoded. Links of answers go through GraphClient::PathOf first.
  std::string path;
  /// An absolute address that an upload session gave, instead of `path`: called without token.
  std::string upload_url;
  /// Further headers; values of Prefer belong into `prefer`.
  std::vector<http_client::Header> headers;
  std::vector<std::string> prefer;
  std::string body;
  std::string content_type = "application/json";  ///< Of the body, when there is one.
  mail::Lane lane = mail::Lane::kLive;
  std::size_t max_response_bytes = 8 << 20;
  std::chrono::milliseconds timeout{0};  ///< 0: the default.
  /// When set, the body of a success is handed over as it arrives; returning false cuts it (the answer is kCancelled).
  std::function<Task<bool>(std::string_view)> on_body;
  /// Never repeated by the client once bytes may have left, except where the answer says that nothing was done (401).
  bool once = false;
  /// When set, told whether the request may have reached the provider without a clear answer: true from the moment it
  /// is handed to the network until an answer below 500 came.
  bool* unclear = nullptr;
  /// When set, the access token of the last attempt: parts of a batch may refuse it although the whole succeeds.
  SecretString* token_used = nullptr;
};

/// One part of $batch.
struct GraphBatchPart {
  std::string method = "GET";
  std::string path;  ///< As GraphRequest::path.
  std::vector<http_client::Header> headers;
  std::string body;  ///< JSON, or empty.
};

/// Requests of one account to Microsoft Graph. Holds the number in flight below the mailbox's limit, carries the access
/// token and the preference for immutable ids, refreshes the token once when it is refused, makes no call while Graph
/// has asked the account to wait, repeats what failed in passing, and translates what is no success. One client per
/// account, shared by all that call for it. Loop thread only.
class GraphClient {
 public:
  GraphClient(const GraphParts& parts, RequestGate::Total& total, ConnectedAccountId account);

  /// Any 2xx. kUnauthenticated never comes out: a token refused twice is kReauthInvalidGrant. kRateLimited with
  /// retry_after when the account has to wait for longer than two seconds; no call was made then, or it was refused.
  Task<Result<http_client::HttpResponse>> Send(const GraphRequest& request);

  /// Any number of parts, twenty to a call, answers in their order. A part that was refused in passing is asked for
  /// again (GET only, alone with the others of its kind, after the longest wait any of them named); what does not
  /// succeed is its own error, classified as `call`. The outer error is for failures of the whole. An answer's body is
  /// the part's JSON as it came.
  Task<Result<std::vector<Result<http_client::HttpResponse>>>> Batch(const std::vector<GraphBatchPart>& parts,
                                                                     GraphCall call, mail::Lane lane);

  /// A nextLink, deltaLink or Location of an answer as a path for GraphRequest, so that what is stored names no host.
  /// kMalformedReply when it leads anywhere but to the configured Graph.
  Result<std::string> PathOf(std::string_view link) const;

  /// No call is made before this instant.
  Instant paused_until() const { return paused_until_; }
  /// Graph's word, heard elsewhere or in an earlier life of the process.
  void PauseUntil(Instant until) { paused_until_ = std::max(paused_until_, until); }

  const ConnectedAccountId& account() const { return account_; }
  const GraphParts& parts() const { return parts_; }

 private:
  Task<bool> HasNewToken(const SecretString& used);
  Task<Result<void>> WaitForPause();
  Task<Result<http_client::HttpResponse>> Attempt(const GraphRequest& request);
  http_client::HttpRequest Build(const GraphRequest& request, const SecretString& token) const;
  Task<void> NotePause(const Error& error);
  Task<Result<void>> SendBatch(const std::vector<GraphBatchPart>& parts, const std::vector<std::size_t>& wanted,
                               GraphCall call, mail::Lane lane, std::vector<Result<http_client::HttpResponse>>& answers,
                               SecretString& token_used);

  const GraphParts& parts_;
  const std::string api_;  ///< ".../v1.0/"
  ConnectedAccountId account_;
  RequestGate gate_;
  Instant paused_until_{};
  int refusals_ = 0;  ///< In a row, without a word on how long to wait.
};

/// The clients by account. Loop thread only; must outlive what it hands out.
class GraphClients {
 public:
  explicit GraphClients(GraphParts parts);
  GraphClients(const GraphClients&) = delete;
  GraphClients& operator=(const GraphClients&) = delete;

  std::shared_ptr<GraphClient> For(const ConnectedAccountId& account);

 private:
  void Forget();

  GraphParts parts_;
  RequestGate::Total total_;
  std::unordered_map<ConnectedAccountId, std::shared_ptr<GraphClient>> clients_;
};

}  // namespace latchkey::microsoft
