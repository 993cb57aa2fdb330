#include "oauth/token_endpoint.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "oauth/jwks_cache.hpp"

namespace latchkey::oauth {
namespace {

const Instant kNow = ParseInstant("2026-03-01T10:00:00Z").value();

http_client::HttpResponse Response(int status, std::string body, std::string retry_after = {}) {
  http_client::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  if (!retry_after.empty()) response.headers = {{"retry-after", std::move(retry_after)}};
  return response;
}

TEST(TokenResponse, TakesWhatTheRfcPermits) {
  const auto tokens = ParseTokenResponse(R"({"access_token":"a","token_type":"bEARER","unknown":[1]})", kNow);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->access_token.Reveal(), "a");
  EXPECT_TRUE(tokens->refresh_token.empty());
  EXPECT_FALSE(tokens->expires_at);
  EXPECT_FALSE(tokens->scopes);
  const auto more = ParseTokenResponse(
      R"({"access_token":"a","token_type":"Bearer","expires_in":"3600","scope":" b  c ","refresh_token":null,)"
      R"("refresh_token_expires_in":604799})",
      kNow);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->expires_at, kNow + std::chrono::hours(1));
  EXPECT_EQ(more->scopes, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(more->refresh_expires_at, kNow + std::chrono::seconds(604799));
}

TEST(TokenResponse, RefusesEverythingElse) {
  for (const char* body :
       {"", "[]", "{}", R"({"access_token":"a"})", R"({"access_token":"a","token_type":"mac"})",
        R"({"access_token":"","token_type":"bearer"})", R"({"access_token":7,"token_type":"bearer"})",
        R"({"access_token":"a\nb","token_type":"bearer"})",
        R"({"access_token":"a","access_token":"b","token_type":"bearer"})",
        R"({"access_token":"a","token_type":"bearer","expires_in":-1})",
        R"({"access_token":"a","token_type":"bearer","expires_in":"soon"})",
        R"({"access_token":"a","token_type":"bearer","expires_in":true})",
        R"({"access_token":"a","token_type":"bearer","scope":["x"]})",
        R"({"access_token":"a","token_type":"bearer","refresh_token":7})"}) {
    EXPECT_EQ(ParseTokenResponse(body, kNow).error().code, ErrorCode::kMalformedReply) << body;
  }
}

TEST(TokenError, KeepsTheSubtypeAndNeverTheDescription) {
  const Error error = ClassifyTokenError(
      Response(400,
               R"({"error":"invalid_grant","error_subtype":"invalid_rapt","error_description":"ada@example.com"})"),
      Grant::kRefreshToken);
  EXPECT_EQ(error.detail, "token endpoint: status 400, invalid_grant/invalid_rapt");
}

TEST(RetryAfter, IsReadInSecondsWholeOrDecimal) {
  using std::chrono::milliseconds;
  EXPECT_EQ(RetryAfterOf(Response(429, "", "3")), milliseconds(3000));
  EXPECT_EQ(RetryAfterOf(Response(429, "", "2.128")), milliseconds(2128));
  EXPECT_EQ(RetryAfterOf(Response(429, "", "999999")), milliseconds(3'600'000));
  for (const char* text : {"", "-1", "soon", "3s", "nan"})
    EXPECT_EQ(RetryAfterOf(Response(429, "", text)), std::nullopt);
}

TEST(CacheControl, MaxAgeIsReadAsRfc9111Says) {
  EXPECT_EQ(MaxAgeOf("public, max-age=23474, must-revalidate"), std::chrono::seconds(23474));
  EXPECT_EQ(MaxAgeOf("Max-Age=5"), std::chrono::seconds(5));
  EXPECT_EQ(MaxAgeOf("no-store, max-age=5"), std::chrono::seconds(0));
  EXPECT_EQ(MaxAgeOf("public"), std::nullopt);
  EXPECT_EQ(MaxAgeOf("max-age=x"), std::nullopt);
}

/// Each recorded answer of Google's token endpoint has exactly one meaning.
TEST(TokenError, ClassifiesTheSamplePayloads) {
  const std::filesystem::path folder = std::filesystem::path(LATCHKEY_SOURCE_DIR) / "../shared/providers/examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the sample payloads are not beside this checkout";
  const struct {
    const char* name;
    Grant grant;
    ErrorCode code;
  } cases[] = {
      {"invalid_grant.revoked.400", Grant::kRefreshToken, ErrorCode::kReauthInvalidGrant},
      {"invalid_grant.rapt.400", Grant::kRefreshToken, ErrorCode::kReauthInvalidGrant},
      {"invalid_grant.bad-request.400", Grant::kRefreshToken, ErrorCode::kReauthInvalidGrant},
      {"invalid_grant.malformed-code.400", Grant::kAuthorizationCode, ErrorCode::kSignInFailed},
      {"invalid_grant.missing-verifier.400", Grant::kAuthorizationCode, ErrorCode::kSignInFailed},
      {"recorded-2014.400", Grant::kAuthorizationCode, ErrorCode::kSignInFailed},
      {"invalid_client.401", Grant::kRefreshToken, ErrorCode::kInvalidClient},
      {"deleted_client.401", Grant::kRefreshToken, ErrorCode::kInvalidClient},
      {"redirect_uri_mismatch.400", Grant::kAuthorizationCode, ErrorCode::kRedirectUriMismatch},
      {"unsupported_grant_type.400", Grant::kAuthorizationCode, ErrorCode::kInternal},
  };
  for (const auto& [name, grant, code] : cases) {
    std::ifstream file(folder / ("google.token.error." + std::string(name) + ".json"));
    std::stringstream text;
    text << file.rdbuf();
    const auto sample = boost::json::parse(text.str());
    const auto& response = sample.at("response");
    const Error error = ClassifyTokenError(
        Response(static_cast<int>(response.at("status").as_int64()), boost::json::serialize(response.at("body"))),
        grant);
    EXPECT_EQ(error.code, code) << name;
  }
  for (const char* name : {"code.200", "code.partial-grant.200", "code.testing-project.200", "refresh.200"}) {
    std::ifstream file(folder / ("google.token." + std::string(name) + ".json"));
    std::stringstream text;
    text << file.rdbuf();
    const auto tokens =
        ParseTokenResponse(boost::json::serialize(boost::json::parse(text.str()).at("response").at("body")), kNow);
    ASSERT_TRUE(tokens) << name;
    EXPECT_EQ(tokens->refresh_expires_at.has_value(), std::string_view(name).contains("testing")) << name;
    EXPECT_EQ(tokens->refresh_token.empty(), std::string_view(name).contains("refresh")) << name;
  }
}

}  // namespace
}  // namespace latchkey::oauth
