#include "simulator/pubsub/pubsub_push.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/testing/google_flow.hpp"
#include "simulator/testing/recorded_outgoing.hpp"

namespace latchkey::simulator {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class PubSubTest : public ::testing::Test {
 protected:
  PubSubTest() {
    push_.subscription().endpoint = "http://127.0.0.1:9/webhooks/google/gmail";
    push_.subscription().issuer = "http://127.0.0.1:8025/google";
  }
  void Publish() {
    push_.Publish({{"message", {{"data", "e30="}}}, {"subscription", "projects/p/subscriptions/s"}});
    schedule_.RunDue();
  }
  std::int64_t Count(const char* name) const { return push_.Describe().at(name).to_number<std::int64_t>(); }
  void Wait(std::chrono::milliseconds time) {
    clock_.Advance(time);
    schedule_.RunDue();
  }

  ManualClock clock_{Instant(std::chrono::seconds(1'780'000'000))};
  Schedule schedule_{clock_};
  testing_outgoing::RecordedOutgoing outgoing_;
  SigningKeys keys_;
  PubSubPush push_{schedule_, outgoing_, keys_};
};

TEST_F(PubSubTest, PostsWithATokenOfTheServiceAccount) {
  Publish();
  ASSERT_THAT(outgoing_.requests, SizeIs(1));
  const std::string_view authorization = outgoing_.requests[0].headers.Get("Authorization");
  ASSERT_TRUE(authorization.starts_with("Bearer "));
  const boost::json::object claims = testing::Claims(authorization.substr(7));
  EXPECT_EQ(claims.at("aud"), "http://127.0.0.1:9/webhooks/google/gmail");
  EXPECT_EQ(claims.at("iss"), "http://127.0.0.1:8025/google");
  EXPECT_EQ(claims.at("email"), "push-sa@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(claims.at("email_verified"), true);
  EXPECT_THAT(outgoing_.requests[0].body, HasSubstr(R"("data":"e30=")"));
  outgoing_.Answer(204);
  EXPECT_EQ(Count("acknowledged"), 1);
  EXPECT_EQ(Count("outstanding"), 0);
}

TEST_F(PubSubTest, RedeliversWithBackoffUntilAcknowledged) {
  Publish();
  outgoing_.Answer(500);
  Wait(std::chrono::milliseconds(99));
  EXPECT_THAT(outgoing_.requests, SizeIs(1));
  Wait(std::chrono::milliseconds(1));
  ASSERT_THAT(outgoing_.requests, SizeIs(2));
  outgoing_.Answer(401);
  Wait(std::chrono::milliseconds(200));
  ASSERT_THAT(outgoing_.requests, SizeIs(3));
  outgoing_.Answer(200);
  Wait(std::chrono::hours(1));
  EXPECT_THAT(outgoing_.requests, SizeIs(3));
  EXPECT_EQ(Count("outstanding"), 0);
}

TEST_F(PubSubTest, GivesUpAfterSevenDays) {
  Publish();
  outgoing_.Answer(500);
  Wait(std::chrono::hours(8 * 24));
  EXPECT_THAT(outgoing_.requests, SizeIs(1));
  EXPECT_EQ(Count("outstanding"), 0);
}

TEST_F(PubSubTest, DuplicatesDelaysAndDisorder) {
  push_.subscription().quirks.duplicates = 2;
  Publish();
  EXPECT_THAT(outgoing_.requests, SizeIs(3));
  push_.subscription().quirks = {.reorder = true};
  Publish();  // The second one goes out at once,
  EXPECT_THAT(outgoing_.requests, SizeIs(4));
  Publish();  // the third one late.
  EXPECT_THAT(outgoing_.requests, SizeIs(4));
  Wait(std::chrono::seconds(2));
  EXPECT_THAT(outgoing_.requests, SizeIs(5));
  push_.subscription().quirks = {.drop = true};
  Publish();
  EXPECT_THAT(outgoing_.requests, SizeIs(5));
}

TEST_F(PubSubTest, TokensCanBeWrong) {
  push_.subscription().token = "none";
  Publish();
  EXPECT_FALSE(outgoing_.requests[0].headers.Find("Authorization"));
  push_.subscription().token = "wrong_email";
  Publish();
  EXPECT_EQ(testing::Claims(outgoing_.requests[1].headers.Get("Authorization").substr(7)).at("email"),
            "somebody-else@my-project.iam.gserviceaccount.com");
  EXPECT_THAT(PubSubPush::Check({.endpoint = "http://example.com/x"}), HasSubstr("this machine only"));
  EXPECT_THAT(PubSubPush::Check({.token = "odd"}), HasSubstr("wrong_audience"));
}

}  // namespace
}  // namespace latchkey::simulator
