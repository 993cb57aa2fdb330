#include "oauth/transaction.hpp"

#include <gtest/gtest.h>

#include <map>

#include "oauth/email_address.hpp"
#include "oauth/provider_url.hpp"

namespace latchkey::oauth {
namespace {

const Instant kNow = ParseInstant("2026-03-01T10:00:00Z").value();

Transaction MakeTransaction() {
  return {.state = State::Generate(),
          .nonce = Nonce::Generate(),
          .verifier = PkceVerifier::Generate(),
          .provider = "google",
          .flow = Flow::kConnect,
          .return_to = "/accounts",
          .created_at = kNow,
          .claims_setup = true,
          .previous_session_hash = "abc",
          .user_id = "u",
          .session_id = "s",
          .attempt_id = "a"};
}

class TransactionCookies : public ::testing::Test {
 protected:
  Result<Transaction> Open(const std::string& state, Flow flow = Flow::kConnect, const std::string& provider = "google",
                           Instant now = kNow) {
    CallbackRequest callback;
    callback.provider = provider;
    callback.query = {{"state", state}, {"code", "c"}};
    callback.cookie = [this](std::string_view name) -> std::optional<std::string> {
      const auto it = cookies_.find(std::string(name));
      return it == cookies_.end() ? std::nullopt : std::optional(it->second);
    };
    return transactions_.Open(callback, flow, now);
  }

  const Transactions transactions_{
      crypto::SealedBox(SecretString("4f7c2b9d8e1a6f3052c7d8e9fa0b1c2d"), "oauth transaction"), true};
  std::map<std::string, std::string> cookies_;
};

TEST_F(TransactionCookies, BringBackEverythingTheCallbackNeeds) {
  const Transaction sent = MakeTransaction();
  const TransactionCookie cookie = transactions_.Seal(sent);
  EXPECT_TRUE(cookie.name.starts_with("__Host-latchkey_txn_"));
  EXPECT_LT(cookie.value.size(), 1000U);
  EXPECT_EQ(cookie.value.find(sent.verifier.secret().Reveal()), std::string::npos);
  cookies_[cookie.name] = cookie.value;
  const auto back = Open(sent.state.text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->state, sent.state);
  EXPECT_EQ(back->nonce, sent.nonce);
  EXPECT_EQ(back->verifier.secret(), sent.verifier.secret());
  EXPECT_EQ(back->return_to, "/accounts");
  EXPECT_EQ(back->created_at, kNow);
  EXPECT_TRUE(back->claims_setup);
  EXPECT_EQ(back->previous_session_hash, "abc");
  EXPECT_EQ(back->user_id, "u");
  EXPECT_EQ(back->session_id, "s");
  EXPECT_EQ(back->attempt_id, "a");
}

TEST_F(TransactionCookies, AnotherBrowserFlowProviderOrStateIsAMismatch) {
  const Transaction sent = MakeTransaction();
  const TransactionCookie cookie = transactions_.Seal(sent);
  EXPECT_EQ(Open(sent.state.text()).error().code, ErrorCode::kStateMismatch);
  cookies_[cookie.name] = cookie.value;
  EXPECT_EQ(Open(sent.state.text(), Flow::kSignIn).error().code, ErrorCode::kStateMismatch);
  EXPECT_EQ(Open(sent.state.text(), Flow::kConnect, "microsoft").error().code, ErrorCode::kStateMismatch);
  // The cookie of one flow under the name of another.
  const Transaction other = MakeTransaction();
  cookies_[transactions_.CookieName(other.state.text())] = cookie.value;
  EXPECT_EQ(Open(other.state.text()).error().code, ErrorCode::kStateMismatch);
  cookies_[cookie.name] += "A";
  EXPECT_EQ(Open(sent.state.text()).error().code, ErrorCode::kStateMismatch);
}

TEST_F(TransactionCookies, AreTooOldAfterTenMinutes) {
  const Transaction sent = MakeTransaction();
  const TransactionCookie cookie = transactions_.Seal(sent);
  cookies_[cookie.name] = cookie.value;
  EXPECT_TRUE(Open(sent.state.text(), Flow::kConnect, "google", kNow + std::chrono::seconds(599)));
  EXPECT_EQ(Open(sent.state.text(), Flow::kConnect, "google", kNow + kTransactionLifetime).error().code,
            ErrorCode::kStateExpired);
}

TEST(RedirectParameters, RepeatedAndContradictoryParametersAreRefused) {
  const std::string state = State::Generate().text();
  using Query = std::vector<std::pair<std::string, std::string>>;
  EXPECT_TRUE(RedirectParameters::Parse({{"state", state}, {"code", "c"}, {"scope", "x"}, {"scope", "y"}}));
  EXPECT_TRUE(RedirectParameters::Parse({{"state", state}, {"error", "access_denied"}}));
  EXPECT_EQ(RedirectParameters::Parse({{"state", state}, {"code", "c"}, {"iss", "i"}})->issuer, "i");
  for (const Query& query :
       {Query{}, Query{{"code", "c"}}, Query{{"state", state}}, Query{{"state", "short"}, {"code", "c"}},
        Query{{"state", state}, {"state", state}, {"code", "c"}}, Query{{"state", state}, {"code", "c"}, {"code", "c"}},
        Query{{"state", state}, {"error", "a"}, {"error", "b"}}, Query{{"state", state}, {"code", "c"}, {"error", "a"}},
        Query{{"state", state}, {"code", "c"}, {"iss", "i"}, {"iss", "i"}}, Query{{"state", state}, {"code", ""}},
        Query{{"state", state}, {"code", std::string(5000, 'c')}}}) {
    EXPECT_EQ(RedirectParameters::Parse(query).error().code, ErrorCode::kStateMismatch);
  }
}

TEST(ReturnPath, OnlyLocalPathsSurvive) {
  for (const char* good : {"/", "/inbox", "/inbox?x=1#y", "/a/b/../c"}) EXPECT_EQ(SafeReturnPath(good), good);
  for (const char* bad :
       {"", "inbox", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/a\\b",
        "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "javascript:alert(1)", "/\xc3\xa9", " /"}) {
    EXPECT_EQ(SafeReturnPath(bad), "/") << bad;
  }
  EXPECT_EQ(SafeReturnPath('/' + std::string(2000, 'a')), "/");
}

TEST(EmailAddress, HasOneCanonicalForm) {
  const std::pair<const char*, const char*> good[] = {
      {"ada@example.com", "ada@example.com"},
      {"Ada.Lovelace+mail@EXAMPLE.Com", "Ada.Lovelace+mail@example.com"},
      {"\"a@b\"@example.com", "\"a@b\"@example.com"},
      {"\xc3\xa9va@example.com", "\xc3\xa9va@example.com"},
      {"ada@m\xc3\xbcnchen.example", "ada@m\xc3\xbcnchen.example"},
  };
  for (const auto& [text, canonical] : good) EXPECT_EQ(EmailAddress::Parse(text)->text(), canonical) << text;
  EXPECT_EQ(EmailAddress::Parse("\"a@b\"@example.com")->domain(), "example.com");
  for (const char* bad : {"",
                          "ada",
                          "@example.com",
                          "ada@",
                          "a@b@example.com",
                          "ada@example.com,eve@example.com",
                          " ada@example.com",
                          "ada@example.com\n",
                          "ada @example.com",
                          "ada@exa mple.com",
                          "ada\xc2\xa0@example.com",
                          "ada\xe2\x80\xae@example.com",
                          "Ada <ada@example.com>",
                          "ada@-example.com",
                          "ada@example..com",
                          ".ada@example.com",
                          "a..b@example.com",
                          "ada@example.com.",
                          "\"ada@example.com",
                          "\"\"@example.com",
                          "ada@exa_mple.com",
                          "ada\xff@example.com"}) {
    EXPECT_FALSE(EmailAddress::Parse(bad)) << bad;
  }
  EXPECT_FALSE(EmailAddress::Parse(std::string_view("ada\0@example.com", 16)));
  EXPECT_FALSE(EmailAddress::Parse(std::string(65, 'a') + "@example.com"));
}

TEST(DisplayText, LosesControlAndDirectionCharactersAndIsCutBetweenCharacters) {
  EXPECT_EQ(CleanDisplayText("A\x01\xe2\x80\xae\xc3\xa9\x7f\xff!", 100), "A\xc3\xa9!");
  EXPECT_EQ(CleanDisplayText("a\xc3\xa9\xc3\xa9", 4), "a\xc3\xa9");
}

TEST(ProviderUrl, OnlyHttpsOrLoopback) {
  for (const char* good : {"https://id.example.test", "https://id.example.test/a?b=c", "http://127.0.0.1:1234/x",
                           "http://localhost/x", "http://[::1]:8/x"}) {
    EXPECT_TRUE(IsSecureUrl(good)) << good;
  }
  for (const char* bad : {"", "http://id.example.test", "ftp://127.0.0.1", "https://user@id.example.test", "https://",
                          "https://id.example.test/#x", "http://localhost.evil.example",
                          "http://127.0.0.1.evil.example", "//id.example.test", "javascript:alert(1)"}) {
    EXPECT_FALSE(IsSecureUrl(bad)) << bad;
  }
  EXPECT_EQ(IssuerOf("https://id.example.test/.well-known/openid-configuration"), "https://id.example.test");
  EXPECT_EQ(IssuerOf("http://127.0.0.1:7/google/.well-known/openid-configuration"), "http://127.0.0.1:7/google");
  EXPECT_FALSE(IssuerOf("https://id.example.test/"));
  EXPECT_FALSE(IssuerOf("http://id.example.test/.well-known/openid-configuration"));
}

}  // namespace
}  // namespace latchkey::oauth
