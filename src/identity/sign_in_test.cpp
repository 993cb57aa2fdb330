#include "identity/sign_in.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <map>

#include "async/testing.hpp"
#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "identity/setup.hpp"
#include "oauth/openid_provider.hpp"
#include "oauth/testing/fake_provider.hpp"
#include "storage/database.hpp"

namespace latchkey::identity {
namespace {

using oauth::testing::FakeProvider;

class Records final : public oauth::ProviderRecords {
 public:
  Task<bool> GrantInUse(std::string_view, std::string_view subject) override { co_return subject == in_use; }
  Task<void> RaiseOperatorFault(std::string_view, ErrorCode code, std::string_view) override {
    raised.push_back(code);
    co_return;
  }
  Task<void> ResolveOperatorFaults(std::string_view) override {
    ++resolved;
    co_return;
  }
  std::string in_use;
  std::vector<ErrorCode> raised;
  int resolved = 0;
};

/// A browser: keeps cookies, follows the provider's redirect by hand.
struct Browser {
  std::map<std::string, std::string> cookies;
  std::string state, nonce;
};

class SignInFlow : public ::testing::Test {
 protected:
  SignInFlow() {
    std::filesystem::create_directories(folder_);
    auto opened = storage::Database::Open({.url = (folder_ / "test.db").string()}, loop_.get_executor(), clock_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    database_ = std::move(*opened);
    oauth::OpenIdProfile profile;
    profile.name = "google";
    profile.discovery_url = FakeProvider::DiscoveryUrl();
    profile.client = {.client_id = std::string(FakeProvider::kClientId), .client_secret = SecretString("s")};
    profile.sign_in_callback_url = "https://latchkey.example.test/in";
    profile.connect_callback_url = "https://latchkey.example.test/connect";
    auto provider = oauth::OpenIdProvider::Make(std::move(profile), remote_, clock_, loop_.get_executor());
    if (!provider) throw std::runtime_error(provider.error().detail);
    providers_.Add(std::move(*provider));
    sessions_ = std::make_unique<Sessions>(database_->identity(), clock_, secret_);
    const SignIn::Parts parts{.providers = providers_,
                              .transactions = transactions_,
                              .states = database_->consumed_states(),
                              .records = records_,
                              .store = database_->identity(),
                              .sessions = *sessions_,
                              .clock = clock_,
                              .executor = loop_.get_executor()};
    sign_in_ = std::make_unique<SignIn>(parts);
  }
  ~SignInFlow() override {
    Run(database_->Stop());
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }

  Browser Start(const std::string& return_to = "/inbox", const SecretString& setup = {},
                const SecretString& previous = {}) {
    const SignIn::StartRequest request{
        .provider = "google", .return_to = return_to, .setup_token = setup, .previous_session = previous};
    const auto started = Run(sign_in_->Start(request)).value();
    Browser browser;
    browser.cookies[started.cookie.name] = started.cookie.value;
    const std::string query = started.authorize_url.substr(started.authorize_url.find('?') + 1);
    browser.state = oauth::testing::FormField(query, "state");
    browser.nonce = oauth::testing::FormField(query, "nonce");
    return browser;
  }
  oauth::CallbackRequest Callback(const Browser& browser,
                                  std::vector<std::pair<std::string, std::string>> more = {{"code", "c"}}) {
    oauth::CallbackRequest callback;
    callback.provider = "google";
    callback.query = {{"state", browser.state}};
    callback.query.insert(callback.query.end(), more.begin(), more.end());
    callback.cookie = [&browser](std::string_view name) -> std::optional<std::string> {
      const auto it = browser.cookies.find(std::string(name));
      return it == browser.cookies.end() ? std::nullopt : std::optional(it->second);
    };
    callback.user_agent = "Browser/1";
    return callback;
  }
  SignIn::Finished Finish(const Browser& browser,
                          std::vector<std::pair<std::string, std::string>> more = {{"code", "c"}}) {
    remote_.nonce = browser.nonce;
    const auto callback = Callback(browser, std::move(more));
    return Run(sign_in_->Finish(callback));
  }
  Result<Sessions::Current> Authenticate(const SignIn::Finished& finished) {
    return Run(sessions_->Authenticate(*finished.session_cookie));
  }

  const SecretString secret_{"4f7c2b9d8e1a6f3052c7d8e9fa0b1c2d"};
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("latchkey-" + RandomToken(9));
  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  FakeProvider remote_{clock_};
  Records records_;
  oauth::IdentityProviders providers_;
  const oauth::Transactions transactions_{crypto::SealedBox(secret_, "oauth transaction"), true};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<SignIn> sign_in_;
};

TEST_F(SignInFlow, EndsInASessionOfThePersonWithTheIssuersSubject) {
  const auto finished = Finish(Start());
  ASSERT_EQ(finished.error, "");
  EXPECT_EQ(finished.return_to, "/inbox");
  EXPECT_EQ(finished.user->email, "ada@example.com");
  EXPECT_FALSE(finished.user->is_admin);
  const auto current = Authenticate(finished).value();
  EXPECT_EQ(current.user.id, finished.user->id);
  EXPECT_TRUE(sessions_->CsrfMatches(*finished.session_cookie, current.csrf_token));
  EXPECT_FALSE(sessions_->CsrfMatches(SecretString("another"), current.csrf_token));
  EXPECT_EQ(records_.resolved, 1);

  // A second sign-in finds the same user, whatever the address says now.
  remote_.email = "ada.lovelace@example.org";
  EXPECT_EQ(Finish(Start()).user->id, finished.user->id);
  // Another subject with the first address is another person.
  remote_.subject = "subject-2";
  remote_.email = "ada@example.com";
  EXPECT_NE(Finish(Start()).user->id, finished.user->id);
}

TEST_F(SignInFlow, AnAnonymousStartWritesNoRowAndAsksTheProviderForNoToken) {
  for (int i = 0; i < 10; ++i) Start();
  EXPECT_EQ(remote_.Count("/token"), 0);
  EXPECT_EQ(Run(database_->identity().PruneExpired(1000)).value(), 0);
  clock_.Advance(std::chrono::days(365));
  EXPECT_EQ(Run(database_->identity().PruneExpired(1000)).value(), 0);
}

TEST_F(SignInFlow, RefusalsNeverReachTheTokenEndpoint) {
  const Browser browser = Start();
  const Browser stranger{.cookies = {}, .state = browser.state, .nonce = {}};
  EXPECT_EQ(Finish(stranger).error, "state_mismatch");
  EXPECT_EQ(Finish(browser, {{"code", "c"}, {"code", "d"}}).error, "state_mismatch");
  EXPECT_EQ(Finish(browser, {{"state", browser.state}, {"code", "c"}}).error, "state_mismatch");
  Browser altered = browser;
  altered.state[5] = altered.state[5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Finish(altered).error, "state_mismatch");
  auto callback = Callback(browser);
  callback.provider = "microsoft";
  EXPECT_EQ(Run(sign_in_->Finish(callback)).error, "state_mismatch");
  clock_.Advance(std::chrono::minutes(10));
  EXPECT_EQ(Finish(browser).error, "state_expired");
  EXPECT_EQ(remote_.Count("/token"), 0);
}

TEST_F(SignInFlow, AResponseOfAnotherIssuerIsRefused) {
  EXPECT_EQ(Finish(Start(), {{"code", "c"}, {"iss", "https://evil.example"}}).error, "state_mismatch");
  EXPECT_EQ(remote_.Count("/token"), 0);
  EXPECT_EQ(Finish(Start(), {{"code", "c"}, {"iss", "https://id.example.test"}}).error, "");
}

TEST_F(SignInFlow, TheProvidersErrorsBecomeFixedCodes) {
  EXPECT_EQ(Finish(Start(), {{"error", "access_denied"}}).error, "access_denied");
  EXPECT_EQ(Finish(Start(), {{"error", "<script>alert(1)</script>"}}).error, "sign_in_failed");
  EXPECT_EQ(Finish(Start(), {{"error", "temporarily_unavailable"}}).error, "provider_unavailable");
  EXPECT_EQ(remote_.Count("/token"), 0);
  EXPECT_TRUE(records_.raised.empty());
}

TEST_F(SignInFlow, ARepeatShowsTheFirstOutcomeAndNeverRedeemsAgain) {
  const Browser browser = Start();
  EXPECT_EQ(Finish(browser).error, "");
  const auto repeat = Finish(browser);
  EXPECT_EQ(repeat.error, "");
  EXPECT_FALSE(repeat.session_cookie);
  EXPECT_EQ(remote_.Count("/token"), 1);

  const Browser denied = Start();
  EXPECT_EQ(Finish(denied, {{"error", "access_denied"}}).error, "access_denied");
  EXPECT_EQ(Finish(denied).error, "access_denied");
  EXPECT_EQ(remote_.Count("/token"), 1);
}

TEST_F(SignInFlow, OfSimultaneousCallbacksOneRedeemsAndAllSeeItsOutcome) {
  const Browser browser = Start();
  remote_.nonce = browser.nonce;
  // The provider answers when all callbacks have come in.
  Signal release(loop_.get_executor());
  remote_.before_token = [&]() -> Task<void> { co_await release.Wait(std::chrono::seconds(30)); };
  const auto callback = Callback(browser);
  std::vector<SignIn::Finished> outcomes;
  const auto one = [&]() -> Task<void> { outcomes.push_back(co_await sign_in_->Finish(callback)); };
  const auto all = [&]() -> Task<void> {
    for (int i = 0; i < 20; ++i) boost::asio::co_spawn(loop_, one(), boost::asio::detached);
    while (remote_.Count("/token") == 0) co_await SleepFor(std::chrono::milliseconds(1));
    release.Raise();
  };
  Run(all());
  ASSERT_EQ(outcomes.size(), 20U);
  int cookies = 0;
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.error, "");
    cookies += outcome.session_cookie ? 1 : 0;
  }
  EXPECT_EQ(cookies, 1);
  EXPECT_EQ(remote_.Count("/token"), 1);
}

TEST_F(SignInFlow, AFailureBehindTheRedemptionLeavesNothingAndRevokesTheGrant) {
  const Browser browser = Start();
  remote_.nonce = "not the one that was sent";
  const auto callback = Callback(browser);
  EXPECT_EQ(Run(sign_in_->Finish(callback)).error, "sign_in_failed");
  EXPECT_EQ(remote_.revoked.size(), 1U);
  EXPECT_TRUE(Run(database_->identity().SetupOpen()).value());

  // Not when a mailbox lives from the same grant.
  records_.in_use = "subject-1";
  const Browser again = Start();
  remote_.nonce = "wrong";
  const auto second = Callback(again);
  EXPECT_EQ(Run(sign_in_->Finish(second)).error, "sign_in_failed");
  EXPECT_EQ(remote_.revoked.size(), 1U);
}

TEST_F(SignInFlow, AWrongClientSecretIsTheOperatorsFault) {
  remote_.replaced["/token"] = {FakeProvider::Answer(401, R"({"error":"invalid_client"})")};
  EXPECT_EQ(Finish(Start()).error, "invalid_client");
  EXPECT_EQ(records_.raised, std::vector<ErrorCode>{ErrorCode::kInvalidClient});
  remote_.replaced["/token"] = {FakeProvider::Answer(503, "<html>")};
  EXPECT_EQ(Finish(Start()).error, "provider_unavailable");
  EXPECT_EQ(records_.raised.size(), 1U);
}

TEST_F(SignInFlow, SigningInAgainEndsTheSessionTheBrowserHad) {
  const auto first = Finish(Start());
  ASSERT_TRUE(Authenticate(first));
  const auto second = Finish(Start("/", {}, *first.session_cookie));
  EXPECT_TRUE(Authenticate(second));
  EXPECT_EQ(Authenticate(first).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(SignInFlow, ReturnAddressesAreLocal) {
  EXPECT_EQ(Finish(Start("//evil.example/")).return_to, "/");
  EXPECT_EQ(Finish(Start("https://evil.example/")).return_to, "/");
}

TEST_F(SignInFlow, TheSetupLinkMakesTheFirstAdministratorOnce) {
  const SecretString old = *Run(OpenSetup(database_->identity())).value();
  const SecretString token = *Run(OpenSetup(database_->identity())).value();
  EXPECT_FALSE(Run(SetupTokenIsOpen(database_->identity(), old)).value());
  EXPECT_TRUE(Run(SetupTokenIsOpen(database_->identity(), token)).value());
  EXPECT_FALSE(Run(SetupTokenIsOpen(database_->identity(), SecretString("guess"))).value());
  const SignIn::StartRequest wrong{.provider = "google", .return_to = "/", .setup_token = old};
  EXPECT_EQ(Run(sign_in_->Start(wrong)).error().code, ErrorCode::kForbidden);

  const Browser first = Start("/", token);
  const Browser second = Start("/", token);
  EXPECT_TRUE(Finish(first).user->is_admin);
  remote_.subject = "subject-2";
  EXPECT_FALSE(Finish(second).user->is_admin);
  EXPECT_FALSE(Run(OpenSetup(database_->identity())).value());
  EXPECT_FALSE(Run(SetupTokenIsOpen(database_->identity(), token)).value());
}

TEST_F(SignInFlow, SessionsEndWhenIdleOldOrToldTo) {
  const auto idle = Finish(Start());
  clock_.Advance(std::chrono::days(8));
  EXPECT_EQ(Authenticate(idle).error().code, ErrorCode::kUnauthenticated);

  const auto old = Finish(Start());
  for (int day = 0; day < 29; ++day) {
    clock_.Advance(std::chrono::days(1));
    EXPECT_TRUE(Authenticate(old)) << day;
  }
  clock_.Advance(std::chrono::days(2));
  EXPECT_EQ(Authenticate(old).error().code, ErrorCode::kUnauthenticated);

  const auto a = Finish(Start());
  const auto b = Finish(Start());
  const auto current = Authenticate(a).value();
  EXPECT_EQ(Run(sessions_->List(current.user.id)).value().size(), 2U);
  const UserId stranger("00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(Run(sessions_->End(stranger, current.session.id)).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Run(sessions_->End(current.user.id, current.session.id)));
  EXPECT_FALSE(Authenticate(a));
  EXPECT_TRUE(Authenticate(b));
  EXPECT_TRUE(Run(sessions_->EndAll(current.user.id)));
  EXPECT_FALSE(Authenticate(b));
  EXPECT_FALSE(Run(sessions_->Authenticate(SecretString(""))));
}

TEST_F(SignInFlow, TheDatabaseHoldsNoUsableCredential) {
  const auto finished = Finish(Start());
  const auto listed = Run(sessions_->List(finished.user->id)).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].token_hash, crypto::Sha256Hex(finished.session_cookie->Reveal()));
  EXPECT_FALSE(Run(sessions_->Authenticate(SecretString(listed[0].token_hash))));
}

}  // namespace
}  // namespace latchkey::identity
