#include "tests/chaos/customer.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <chrono>

namespace latchkey::chaos {

namespace bj = boost::json;

Customer::Customer(integration::Person& person, std::string account, std::string recipient)
    : url_(person.Url("/api/v1/messages")),
      cookies_(person.browser().CookieHeader(person.Url("/"))),
      csrf_(person.csrf()),
      origin_(url_.substr(0, url_.find("/api/"))),
      account_(std::move(account)),
      recipient_(std::move(recipient)),
      thread_([this] { Run(); }) {}

void Customer::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<Customer::Sent> Customer::acknowledged() {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

void Customer::Run() {
  for (int number = 1; !stop_; ++number) {
    while (!SendOne(number)) {
      ++refusals_;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (stop_) return;  // Never acknowledged: nothing was promised.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
  }
}

bool Customer::SendOne(int number) {
  const std::string subject = "Order " + std::to_string(number) + " of " + account_;
  const bj::object letter{{"account", account_},
                          {"to", bj::array{bj::object{{"address", recipient_}}}},
                          {"subject", subject},
                          {"text", "One of these, once.\n"}};
  integration::HttpCall call{.method = "POST", .url = url_, .headers = {}, .body = bj::serialize(letter)};
  call.headers = {"Cookie: " + cookies_,
                  "Origin: " + origin_,
                  "X-CSRF-Token: " + csrf_,
                  "Content-Type: application/json",
                  "Sec-Fetch-Site: same-origin",
                  "Accept: application/json",
                  "Idempotency-Key: " + account_ + "-" + std::to_string(number)};
  const auto reply = integration::Fetch(call);
  if (reply.status == 202) {
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back({bj::value_to<std::string>(reply.Json().at("id")), subject});
    return true;
  }
  // No answer, or one that says to come back: anything else would be a promise broken.
  const bool temporary = reply.status == 0 || reply.status == 429 || reply.status >= 500;
  if (!temporary) ADD_FAILURE() << "refused for good: " << reply.status << " " << reply.body;
  return false;
}

}  // namespace latchkey::chaos
