#include "tests/integration/support/send_faults.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>
#include <limits>
#include <utility>

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

/// A step of sending, as the simulator selects requests.
struct Step {
  const char* name;
  const char* method;
  const char* path;
};

struct Trouble {
  const char* name;
  bj::object fault;
  /// About the mail itself instead of a request: lose_message and its like, which find their requests themselves.
  bool of_mail = false;
  /// The answer is lost as well.
  bool and_answer = false;
};

const std::vector<Step>& StepsOf(const std::string& provider) {
  static const std::vector<Step> google = {
      {"send", "POST", "/gmail/v1/users/*/drafts/send"},
      {"draft", "POST", "/upload/gmail/v1/users/*/drafts"},
      {"look", "GET", "/gmail/v1/users/*/messages"},
      {"ask", "GET", "/gmail/v1/users/*/drafts/*"},
  };
  static const std::vector<Step> microsoft = {
      {"send", "POST", "/v1.0/me/messages/*/send"},
      {"draft", "POST", "/v1.0/me/messages"},
      {"write", "PATCH", "/v1.0/me/messages/*"},
      {"look", "GET", "/v1.0/me/messages/*"},
  };
  return provider == "google" ? google : microsoft;
}

std::vector<Trouble> TroublesOf(const std::string& provider) {
  const bool google = provider == "google";
  const auto answer = [](int status, const char* body) {
    return bj::object{{"kind", "respond"}, {"status", status}, {"body", body}};
  };
  bj::object busy = answer(503, "<html>busy</html>");
  busy["retry_after_seconds"] = 1;
  const bj::object throttled{{"kind", "respond"},
                             {"payload", google ? "gmail.too-many-concurrent.429" : "graph.error.throttled-bare.429"},
                             {"retry_after_seconds", 1},
                             {"retry_after_header", true}};
  const bj::object refused{
      {"kind", "respond"},
      {"payload", google ? "gmail.authError.401" : "graph.error.InvalidAuthenticationToken.expired.401"}};
  const bj::object later{{"kind", "delay_send"}, {"delay_seconds", 5}};
  return {
      {.name = "the mail is lost", .fault = {{"kind", "lose_message"}}, .of_mail = true},
      {.name = "mail and answer are lost", .fault = {{"kind", "lose_message"}}, .of_mail = true, .and_answer = true},
      {.name = "the mail leaves twice", .fault = {{"kind", "duplicate_send"}}, .of_mail = true},
      {.name = "the mail is delayed", .fault = later, .of_mail = true},
      {.name = "the mail is delayed and the answer lost", .fault = later, .of_mail = true, .and_answer = true},
      {.name = "the answer is lost", .fault = {{"kind", "lose_answer"}}},
      {.name = "the answer is lost", .fault = {{"kind", "lose_answer"}}},
      {.name = "the answer is cut", .fault = {{"kind", "truncate"}}},
      {.name = "the answer is late",
       .fault = {{"kind", "latency"}, {"milliseconds", 200}, {"jitter_milliseconds", 600}}},
      {.name = "reset", .fault = {{"kind", "reset"}}},
      {.name = "500", .fault = answer(500, "{}")},
      {.name = "502", .fault = answer(502, "<html>bad gateway</html>")},
      {.name = "503 with Retry-After", .fault = busy},
      {.name = "429", .fault = throttled},
      {.name = "401", .fault = refused},
  };
}

std::string KindOf(const std::string& provider, const Trouble& trouble, const Step& step) {
  return provider + ": " + trouble.name + (trouble.of_mail ? std::string() : std::string(" (") + step.name + ")");
}

}  // namespace

void SendFaults::Add(const std::string& provider, const std::string& mailbox) {
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  };
  const auto troubles = TroublesOf(provider);
  const auto& steps = StepsOf(provider);
  // One of those that came least often: chance alone leaves some of many kinds out.
  std::vector<std::pair<const Trouble*, const Step*>> rarest;
  int least = std::numeric_limits<int>::max();
  for (const Trouble& trouble : troubles) {
    for (const Step& step : steps) {
      const int times = given_[KindOf(provider, trouble, step)];
      if (times < least) rarest.clear();
      least = std::min(least, times);
      if (times == least) rarest.emplace_back(&trouble, &step);
    }
  }
  const auto [chosen_trouble, chosen_step] = rarest[pick(rarest.size())];
  const Trouble& trouble = *chosen_trouble;
  const Step& step = *chosen_step;
  ++given_[KindOf(provider, trouble, step)];
  const auto skip = pick(3);
  const bool refuses = std::string_view(trouble.name) == "401";
  if (refuses && Pending(refusals_[mailbox])) return;
  bj::object fault = trouble.fault;
  fault["account"] = mailbox;
  fault["count"] = 1;
  fault["skip"] = skip;
  if (!trouble.of_mail) {
    fault["method"] = step.method;
    fault["path"] = step.path;
  }
  const auto id = bj::value_to<std::string>(simulator_.Post("/faults", fault).at("id"));
  kinds_[id] = KindOf(provider, trouble, step);
  if (refuses) refusals_[mailbox] = id;
  if (!trouble.and_answer) return;
  const Step& send = steps.front();
  const bj::object answer{{"kind", "lose_answer"}, {"account", mailbox},    {"count", 1},
                          {"skip", skip},          {"method", send.method}, {"path", send.path}};
  const auto second = bj::value_to<std::string>(simulator_.Post("/faults", answer).at("id"));
  kinds_[second] = provider + ": the answer is lost (send)";
}

void SendFaults::LingerBeforeSending(const std::string& mailbox) {
  if (Pending(lingering_[mailbox])) return;
  const bj::object fault{{"account", mailbox}, {"kind", "latency"}, {"milliseconds", 1500},
                         {"count", 1},         {"method", "GET"},   {"path", "/gmail/v1/users/*/drafts/*"}};
  const auto id = bj::value_to<std::string>(simulator_.Post("/faults", fault).at("id"));
  kinds_[id] = "google: the answer is late (ask)";
  lingering_[mailbox] = id;
}

bool SendFaults::Pending(const std::string& id) {
  if (id.empty()) return false;
  const auto counters = simulator_.Get("/counters");
  return counters.at("faults").at(id).at("fired").to_number<unsigned long>() == 0;
}

bool SendFaults::Counts::EveryKind() const {
  return std::ranges::all_of(by_kind, [](const auto& kind) { return kind.second > 0; });
}

SendFaults::Counts SendFaults::Count() {
  Counts out;
  for (const std::string provider : {"google", "microsoft"}) {
    for (const Trouble& trouble : TroublesOf(provider)) {
      for (const Step& step : StepsOf(provider)) out.by_kind[KindOf(provider, trouble, step)];
    }
  }
  const auto counters = simulator_.Get("/counters");
  for (const auto& [id, kind] : kinds_) {
    const auto fired = counters.at("faults").at(id).at("fired").to_number<unsigned long>();
    ++out.injected;
    out.reached += fired;
    out.by_kind[kind] += fired;
  }
  return out;
}

}  // namespace latchkey::integration
