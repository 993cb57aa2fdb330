#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/testing.hpp"
#include "base/random.hpp"
#include "connected_accounts/connect.hpp"
#include "connected_accounts/disconnect.hpp"
#include "connected_accounts/store_provider_records.hpp"
#include "connected_accounts/token_source.hpp"
#include "crypto/hash.hpp"
#include "oauth/openid_provider.hpp"
#include "oauth/testing/fake_provider.hpp"
#include "storage/database.hpp"

namespace latchkey::connected_accounts::testing {

/// Scopes of the made-up provider.
class Scopes final : public ScopeCatalog {
 public:
  std::string_view provider() const override { return "google"; }
  Result<std::vector<std::string>> ScopesFor(const std::vector<Capability>& capabilities) const override {
    std::vector<std::string> scopes;
    for (const Capability capability : capabilities) scopes.emplace_back(ToString(capability));
    return scopes;
  }
  std::vector<Capability> CapabilitiesOf(const std::vector<std::string>& scopes) const override {
    std::vector<Capability> capabilities;
    for (const std::string& scope : scopes) {
      if (const auto capability = ParseCapability(scope)) capabilities.push_back(*capability);
    }
    return capabilities;
  }
};

/// A browser that was sent to the provider.
struct Browser {
  std::map<std::string, std::string> cookies;
  std::string state, nonce, scope;
};

/// Connect, token source and disconnect on a scratch SQLite database, with one user who has a session, and a provider
/// behind the HTTP port.
class ConnectedAccountsFlow : public ::testing::Test {
 protected:
  ConnectedAccountsFlow() {
    std::filesystem::create_directories(folder_);
    auto opened = storage::Database::Open({.url = database_path()}, loop_.get_executor(), clock_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    database_ = std::move(*opened);
    oauth::OpenIdProfile profile;
    profile.name = "google";
    profile.discovery_url = oauth::testing::FakeProvider::DiscoveryUrl();
    profile.client = {.client_id = std::string(oauth::testing::FakeProvider::kClientId),
                      .client_secret = SecretString("s")};
    profile.sign_in_callback_url = "https://latchkey.example.test/in";
    profile.connect_callback_url = "https://latchkey.example.test/connect";
    auto provider = oauth::OpenIdProvider::Make(std::move(profile), remote_, clock_, loop_.get_executor());
    if (!provider) throw std::runtime_error(provider.error().detail);
    providers_.Add(std::move(*provider));
    scopes_.Add(std::make_shared<Scopes>());
    records_ = std::make_unique<StoreProviderRecords>(store());
    pauses_ = std::make_unique<sync::ProviderPauses>(database_->pauses(), clock_);
    tokens_ = MakeTokenSource();
    const Connect::Parts connect{.providers = providers_,
                                 .scopes = scopes_,
                                 .transactions = transactions_,
                                 .confirmations = confirmations_,
                                 .states = database_->consumed_states(),
                                 .records = *records_,
                                 .store = store(),
                                 .vault = vault_,
                                 .clock = clock_,
                                 .executor = loop_.get_executor(),
                                 .tokens = *tokens_};
    connect_ = std::make_unique<Connect>(connect);
    const Disconnect::Parts disconnect{
        .providers = providers_, .store = store(), .jobs = database_->jobs(), .vault = vault_, .clock = clock_};
    disconnect_ = std::make_unique<Disconnect>(disconnect);
    const auto signed_in = SignInAs("person-1");
    user_ = signed_in.first;
    session_ = signed_in.second;
  }
  ~ConnectedAccountsFlow() override {
    Run(database_->Stop());
    tokens_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string database_path() const { return (folder_ / "test.db").string(); }
  AccountStore& store() { return database_->accounts(); }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  std::unique_ptr<RefreshingTokenSource> MakeTokenSource() {
    const RefreshingTokenSource::Parts parts{.providers = providers_,
                                             .records = *records_,
                                             .store = store(),
                                             .vault = vault_,
                                             .pauses = *pauses_,
                                             .clock = clock_,
                                             .executor = loop_.get_executor(),
                                             .lease = lease_};
    return std::make_unique<RefreshingTokenSource>(parts);
  }
  std::pair<UserId, SessionId> SignInAs(const std::string& subject) {
    const std::string state = crypto::Sha256Hex(RandomToken());
    Run(database_->consumed_states().ClaimState(state, clock_.Now() + std::chrono::hours(1)));
    identity::IdentityStore::SignIn sign_in;
    sign_in.identity = {.issuer = "https://id.example.test", .subject = subject, .provider = "google"};
    sign_in.session = {.id = SessionId::New(clock_.Now()),
                       .token_hash = crypto::Sha256Hex(RandomToken()),
                       .created_at = clock_.Now(),
                       .last_seen_at = clock_.Now(),
                       .expires_at = clock_.Now() + std::chrono::days(30)};
    sign_in.state_hash = state;
    const auto user = Run(database_->identity().CompleteSignIn(sign_in));
    if (!user) throw std::runtime_error(user.error().detail);
    return {user->id, sign_in.session.id};
  }
  Connect::StartRequest Request(std::vector<Capability> capabilities = {Capability::kReadMail},
                                const ConnectedAccountId& account = {}) const {
    return {.user_id = user_,
            .session_id = session_,
            .provider = "google",
            .capabilities = std::move(capabilities),
            .mode = "popup",
            .account_id = account};
  }
  static Browser Follow(const oauth::StartedFlow& started) {
    Browser browser;
    browser.cookies[started.cookie.name] = started.cookie.value;
    const std::string query = started.authorize_url.substr(started.authorize_url.find('?') + 1);
    browser.state = oauth::testing::FormField(query, "state");
    browser.nonce = oauth::testing::FormField(query, "nonce");
    browser.scope = oauth::testing::FormField(query, "scope");
    return browser;
  }
  Browser Start(const Connect::StartRequest& request) {
    const auto attempt = Run(connect_->CreateAttempt(request)).value();
    return Follow(Run(connect_->BuildAuthorizeUrl(request.user_id, attempt.id, "/accounts")).value());
  }
  oauth::CallbackRequest Callback(const Browser& browser, const std::string& parameter = "code") {
    oauth::CallbackRequest callback;
    callback.provider = "google";
    callback.query = {{"state", browser.state}, {parameter, parameter == "code" ? "c" : "access_denied"}};
    callback.cookie = [&browser](std::string_view name) -> std::optional<std::string> {
      const auto it = browser.cookies.find(std::string(name));
      return it == browser.cookies.end() ? std::nullopt : std::optional(it->second);
    };
    return callback;
  }
  /// The provider grants all that was asked for, unless `granted` says otherwise.
  Connect::Finished Finish(const Browser& browser, const std::string& granted = {}) {
    remote_.nonce = browser.nonce;
    remote_.scope = granted.empty() ? browser.scope : granted;
    const auto callback = Callback(browser);
    return Run(connect_->Finish(callback));
  }
  ConnectedAccountId ConnectAccount() {
    const auto finished = Finish(Start(Request()));
    if (!finished.error.empty()) throw std::runtime_error(finished.error);
    return finished.account_id;
  }
  Result<SecretString> AccessToken(const ConnectedAccountId& account, const std::string& rejected = {}) {
    const SecretString refused(rejected);
    return Run(tokens_->AccessToken(account, refused));
  }
  ConnectedAccount Account(const ConnectedAccountId& id) { return Run(store().GetForWork(id)).value(); }

  const SecretString secret_{"4f7c2b9d8e1a6f3052c7d8e9fa0b1c2d"};
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("latchkey-" + RandomToken(9));
  boost::asio::io_context loop_;
  /// Of token sources made from now on.
  RefreshingTokenSource::LeaseTimes lease_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  oauth::testing::FakeProvider remote_{clock_};
  oauth::IdentityProviders providers_;
  ScopeCatalogs scopes_;
  const oauth::Transactions transactions_{crypto::SealedBox(secret_, "oauth transaction"), true};
  const crypto::SealedBox confirmations_{secret_, "connect confirmation"};
  const crypto::Vault vault_ = crypto::Vault::Make({SecretString(std::string(32, 'k'))}).value();
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<StoreProviderRecords> records_;
  std::unique_ptr<Connect> connect_;
  std::unique_ptr<sync::ProviderPauses> pauses_;
  std::unique_ptr<RefreshingTokenSource> tokens_;
  std::unique_ptr<Disconnect> disconnect_;
  UserId user_;
  SessionId session_;
};

}  // namespace latchkey::connected_accounts::testing
