// Holds the answers against a copy of Google's own documents, where one lies beside the project.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/testing/google_flow.hpp"

namespace latchkey::simulator {
namespace {

using testing::GoogleFlow;
using testing::Json;
using testing::Text;

class ProviderShapes : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("LATCHKEY_PROVIDERS");
    folder_ = given ? std::filesystem::path(given) : std::filesystem::path(LATCHKEY_SOURCE_DIR) / "../shared/providers";
    if (!std::filesystem::exists(folder_)) {
      GTEST_SKIP() << "no provider documents at " << folder_ << " (LATCHKEY_PROVIDERS names another place)";
    }
  }
  boost::json::object Load(const std::string& name) const {
    std::ifstream in(folder_ / name);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    return boost::json::parse(text).as_object();
  }
  boost::json::object ExampleBody(const std::string& name) const {
    return Load("examples/" + name).at("response").at("body").as_object();
  }
  static void ExpectSameMembers(const boost::json::object& ours, const boost::json::object& theirs) {
    for (const auto& member : theirs) {
      const auto* value = ours.if_contains(member.key());
      EXPECT_TRUE(value) << "missing " << member.key();
      if (value) EXPECT_EQ(value->kind(), member.value().kind()) << member.key();
    }
    for (const auto& member : ours) EXPECT_TRUE(theirs.contains(member.key())) << "unexpected " << member.key();
  }

  std::filesystem::path folder_;
  GoogleFlow flow_;
};

TEST_F(ProviderShapes, DiscoveryPromisesNothingGoogleDoesNot) {
  const auto ours = Json(flow_.Send("GET", "/google/.well-known/openid-configuration"));
  const auto theirs = Load("google/openid-configuration.json");
  for (const auto& member : ours) {
    if (member.key() == "response_modes_supported") continue;
    const auto* value = theirs.if_contains(member.key());
    ASSERT_TRUE(value) << member.key();
    if (!member.value().is_array()) continue;
    for (const auto& entry : member.value().as_array()) {
      EXPECT_TRUE(std::ranges::find(value->as_array(), entry) != value->as_array().end())
          << member.key() << " " << entry;
    }
  }
  for (const char* name :
       {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"}) {
    EXPECT_TRUE(Text(ours, name).starts_with("http://127.0.0.1:8025/google/")) << name;
  }
}

TEST_F(ProviderShapes, TokenAnswersHaveTheRecordedMembers) {
  const std::string scope = "openid email " + std::string(testing::kRead);
  const auto tokens = flow_.Tokens(scope);
  ExpectSameMembers(tokens, ExampleBody("google.token.code.200.json"));
  ExpectSameMembers(Json(flow_.Refresh(Text(tokens, "refresh_token"))), ExampleBody("google.token.refresh.200.json"));
  flow_.settings.testing_mode = true;
  ExpectSameMembers(flow_.Tokens(testing::kRead, {{"prompt", "consent"}}),
                    ExampleBody("google.token.code.testing-project.200.json"));
}

TEST_F(ProviderShapes, IdTokenAndUserInfoHaveTheRecordedClaims) {
  flow_.ada.picture = "https://images.example/ada.png";
  const auto tokens = flow_.Tokens("openid email profile");
  ExpectSameMembers(testing::Claims(Text(tokens, "id_token")),
                    Load("examples/google.id_token.json").at("claims").as_object());
  const Response info =
      flow_.Send("GET", "/google/userinfo", "", {{"Authorization", "Bearer " + Text(tokens, "access_token")}});
  ExpectSameMembers(Json(info), ExampleBody("google.userinfo.200.json"));
}

}  // namespace
}  // namespace latchkey::simulator
