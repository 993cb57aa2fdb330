#include "simulator/pubsub/pubsub_push.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

namespace latchkey::simulator {
namespace {

constexpr std::chrono::hours kRetention{7 * 24};
constexpr std::array kTokens = {"correct", "wrong_audience", "wrong_email",   "unverified",
                                "expired", "wrong_issuer",   "bad_signature", "none"};

bool Acknowledges(int status) {
  return status == 102 || status == 200 || status == 201 || status == 202 || status == 204;
}

}  // namespace

std::string PubSubPush::Check(const PubSubSubscription& subscription) {
  if (std::ranges::find(kTokens, subscription.token) == kTokens.end()) {
    return "\"token\" must be one of correct, wrong_audience, wrong_email, unverified, expired, wrong_issuer, "
           "bad_signature, none";
  }
  if (subscription.endpoint.empty()) return "";
  const std::string why = WhyNotPostable(subscription.endpoint);
  return why.empty() ? "" : fmt::format("the endpoint {} cannot be used: {}", subscription.endpoint, why);
}

void PubSubPush::Publish(const boost::json::object& envelope) {
  ++published_;
  if (subscription_.endpoint.empty() || subscription_.quirks.drop || outstanding_ >= kMaxOutstanding) return;
  auto message = std::make_shared<Message>(Message{boost::json::serialize(envelope), schedule_.Now()});
  ++outstanding_;
  const Instant due = schedule_.Now() + subscription_.quirks.DelayOf(published_);
  for (std::uint64_t copy = 0; copy <= subscription_.quirks.duplicates; ++copy) {
    schedule_.At(due, [this, message, first = copy == 0] {
      // Further copies come once, whatever becomes of the first.
      if (first || !subscription_.endpoint.empty()) Try(message, first ? 1 : 0);
    });
  }
}

void PubSubPush::Try(const std::shared_ptr<Message>& message, int attempt) {
  const auto give_up = [&] {
    if (!message->done && attempt > 0) --outstanding_;
    message->done = message->done || attempt > 0;
  };
  if (subscription_.endpoint.empty() || schedule_.Now() - message->published > kRetention) return give_up();
  OutgoingRequest request;
  request.url = subscription_.endpoint;
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"}};
  if (subscription_.token != "none") request.headers.Add("Authorization", "Bearer " + BearerToken());
  request.body = message->body;
  ++attempts_;
  const bool sent = outgoing_.Send(std::move(request), [this, message, attempt](const OutgoingAnswer& answer) {
    last_status_ = answer.status;
    last_problem_ = answer.problem;
    if (Acknowledges(answer.status)) {
      ++acknowledged_;
      if (!message->done) --outstanding_;
      message->done = true;
      return;
    }
    if (attempt == 0 || message->done) return;
    const std::chrono::milliseconds wait(std::min<std::int64_t>(100LL << std::min(attempt - 1, 12), 60'000));
    schedule_.At(schedule_.Now() + wait, [this, message, attempt] {
      if (!message->done) Try(message, attempt + 1);
    });
  });
  if (!sent) give_up();
}

std::string PubSubPush::BearerToken() const {
  // The machine's own time, as in ID tokens: receivers compare with theirs.
  const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock().Now()).time_since_epoch().count();
  const std::string& kind = subscription_.token;
  const std::string audience = subscription_.audience.empty() ? subscription_.endpoint : subscription_.audience;
  const std::int64_t shift = kind == "expired" ? -7200 : 0;
  const boost::json::object claims = {
      {"iss", kind == "wrong_issuer" ? "https://issuer.example" : std::string_view(subscription_.issuer)},
      {"aud", kind == "wrong_audience" ? "https://elsewhere.example/push" : std::string_view(audience)},
      {"azp", "113774264463038321964"},
      {"sub", "113774264463038321964"},
      {"email", kind == "wrong_email" ? "somebody-else@my-project.iam.gserviceaccount.com"
                                      : std::string_view(subscription_.service_account)},
      {"email_verified", kind != "unverified"},
      {"iat", now + shift},
      {"exp", now + shift + 3600}};
  std::string token = keys_.Sign(claims);
  if (kind == "bad_signature") {
    char& middle = token[token.rfind('.') + 20];
    middle = middle == 'A' ? 'B' : 'A';
  }
  return token;
}

boost::json::object PubSubPush::Describe() const {
  return {{"endpoint", subscription_.endpoint},
          {"audience", subscription_.audience},
          {"service_account", subscription_.service_account},
          {"issuer", subscription_.issuer},
          {"token", subscription_.token},
          {"delivery", subscription_.quirks.Describe()},
          {"published", published_},
          {"attempts", attempts_},
          {"acknowledged", acknowledged_},
          {"outstanding", outstanding_},
          {"last_status", last_status_},
          {"last_problem", last_problem_}};
}

}  // namespace latchkey::simulator
