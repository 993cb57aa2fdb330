// Pictures inside the text of a mail, from either provider into the isolated view.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "base/encoding.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/microsoft.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A mail that shows one picture, names one that is not there, and brings a part that only claims to be a picture.
std::string Newsletter() {
  return "From: Bo Example <bo@example.net>\r\nTo: ada@example.com\r\nSubject: Pictures\r\n"
         "Message-ID: <pictures@example.net>\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/related; boundary=\"b\"\r\n\r\n"
         "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
         "<p>Look</p><img src=\"cid:logo%40example.net\" alt=\"logo\"><img src=\"cid:nowhere\" alt=\"none\">"
         "<img src=\"cid:page@example.net\" alt=\"page\">\r\n"
         "--b\r\nContent-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo@example.net>\r\n"
         "Content-Disposition: inline; filename=\"logo.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         std::string(kPixel) +
         "\r\n--b\r\nContent-Type: image/png; name=\"page.png\"\r\nContent-ID: <page@example.net>\r\n"
         "Content-Disposition: inline; filename=\"page.png\"\r\n\r\n<script>alert(1)</script> and more of "
         "it\r\n--b--\r\n";
}

class InlineImages : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  InlineImages() { start_server_ = false; }
  void SetUp() override {
    if (GetParam() == "microsoft") email_ = UseMicrosoft(server_, simulator_);
    IntegrationTest::SetUp();
    server_.Start();
    person_ = std::make_unique<Person>(server_, simulator_, email_, GetParam());
    person_->SignIn();
    simulator_.Deliver(email_, bj::object{{"eml", Newsletter()}});
    person_->WaitUntilImported(person_->Connect(email_));
  }
  /// Addresses of the pictures that the view shows, in order.
  std::vector<std::string> Pictures(const std::string& view) {
    std::vector<std::string> found;
    constexpr std::string_view kSource = "src=\"";
    for (std::size_t at = view.find(kSource); at != std::string::npos; at = view.find(kSource, at)) {
      at += kSource.size();
      found.push_back(view.substr(at, view.find('"', at) - at));
    }
    return found;
  }

  std::string email_ = kAda;
  std::unique_ptr<Person> person_;
};
INSTANTIATE_TEST_SUITE_P(Providers, InlineImages, ::testing::Values("google", "microsoft"),
                         [](const auto& provider) { return provider.param; });

TEST_P(InlineImages, AreShownFromTheProviderAndNothingButPicturesIs) {
  const auto messages = person_->Messages();
  ASSERT_EQ(messages.size(), 1U);
  const std::string id(messages[0].at("id").as_string());
  const auto view = person_->Get("/api/v1/messages/" + id + "/view");
  ASSERT_EQ(view.status, 200);
  EXPECT_THAT(view.body, Not(HasSubstr("cid:")));
  const auto pictures = Pictures(view.body);
  ASSERT_EQ(pictures.size(), 2U) << view.body;
  // The isolated document sends no cookie.
  const auto shown = Fetch({.url = server_.url() + pictures[0]});
  EXPECT_EQ(shown.status, 200) << shown.body;
  EXPECT_EQ(shown.Header("Content-Type"), "image/png");
  EXPECT_EQ(shown.body, Base64Decode(kPixel));
  EXPECT_THAT(shown.Header("Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(Fetch({.url = server_.url() + pictures[1]}).status, 404) << "it only claims to be one";
  EXPECT_EQ(Fetch({.url = server_.url() + pictures[0] + "x"}).status, 404);
  person_->Send("DELETE", "/api/v1/connected-accounts/" + std::string(messages[0].at("account_id").as_string()));
  EXPECT_TRUE(WaitUntil([&] { return Fetch({.url = server_.url() + pictures[0]}).status == 404; }));
}

}  // namespace
}  // namespace latchkey::integration
