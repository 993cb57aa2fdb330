#include "storage/testing/scratch_store.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "storage/testing/scratch_postgres.hpp"

namespace latchkey::storage::testing {
namespace {

constexpr Instant kStart = Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1));

std::string MakeDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "latchkey-store-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a scratch directory");
  return pattern;
}

}  // namespace

std::string SqliteUrl(const std::string& directory) { return "sqlite:" + directory + "/latchkey.db"; }

ScratchStore::ScratchStore(OpenScratch engine) : clock_(kStart), directory_(MakeDirectory()), url_(engine(directory_)) {
  Reopen();
}

ScratchStore::~ScratchStore() {
  database_.reset();
  std::filesystem::remove_all(directory_);
  if (url_.starts_with("postgresql:")) DropPostgres(url_);
}

void ScratchStore::Reopen() {
  database_.reset();
  auto opened = Database::Open({.url = url_}, loop_.get_executor(), clock_);
  if (!opened) Throw(opened.error());
  database_ = std::move(*opened);
}

void ScratchStore::Throw(const Error& error) {
  throw std::runtime_error(fmt::format("{}: {}", ToString(error.code), error.detail));
}

identity::User ScratchStore::AddUser(const std::string& subject) {
  const Instant now = clock_.Now();
  const identity::IdentityStore::SignIn sign_in{.identity = {.issuer = "https://accounts.example.com",
                                                             .subject = subject,
                                                             .email = subject + "@example.com",
                                                             .email_verified = true,
                                                             .first_name = "Ada",
                                                             .last_name = "Example",
                                                             .provider = "google"},
                                                .session = {.id = SessionId::New(now),
                                                            .token_hash = "session-" + subject,
                                                            .created_at = now,
                                                            .last_seen_at = now,
                                                            .expires_at = now + std::chrono::days(30)}};
  return Get(database_->identity().CompleteSignIn(sign_in));
}

connected_accounts::Connection ScratchStore::NewConnection(const identity::User& user,
                                                           const std::string& provider_account_id) {
  const Instant now = clock_.Now();
  const auto sessions = Get(database_->identity().ListSessions(user.id));
  if (sessions.empty()) throw std::runtime_error("the user has no session");
  const connected_accounts::ConnectAttempt attempt{.id = ConnectAttemptId::New(now),
                                                   .user_id = user.id,
                                                   .session_id = sessions.front().id,
                                                   .provider = "google",
                                                   .capabilities = {connected_accounts::Capability::kReadMail},
                                                   .mode = "popup",
                                                   .created_at = now,
                                                   .expires_at = now + std::chrono::minutes(10)};
  Get(database_->accounts().InsertAttempt(attempt));
  return {.attempt_id = attempt.id,
          .account = {.id = ConnectedAccountId::New(now),
                      .user_id = user.id,
                      .provider = "google",
                      .provider_account_id = provider_account_id,
                      .email = provider_account_id + "@example.com",
                      .display_name = provider_account_id,
                      .requested = {connected_accounts::Capability::kReadMail},
                      .granted_scopes = {"openid", "https://mail.example.com/read"},
                      .granted = {connected_accounts::Capability::kReadMail}},
          .tokens = {.access_token = "sealed-access",
                     .refresh_token = "sealed-refresh",
                     .expires_at = now + std::chrono::hours(1)}};
}

connected_accounts::ConnectedAccount ScratchStore::AddAccount(const identity::User& user,
                                                              const std::string& provider_account_id) {
  const auto id = Get(database_->accounts().StoreConnection(NewConnection(user, provider_account_id)));
  return Get(database_->accounts().Get(user.id, id));
}

mail::Message SampleMessage(const std::string& external_id, int minute, std::uint64_t version) {
  return {.external_id = external_id,
          .thread_id = "thread-" + external_id,
          .version = version,
          .rfc822_message_id = external_id + "@mail.example.com",
          .in_reply_to = "before@mail.example.com",
          .references = {"first@mail.example.com", "before@mail.example.com"},
          .subject = "Subject of " + external_id,
          .from = {{.name = "Grace Example", .address = "grace@example.org"}},
          .to = {{.name = "Ada", .address = "ada@example.com"}, {.name = "", .address = "team@example.com"}},
          .cc = {{.name = "Copy", .address = "copy@example.net"}},
          .bcc = {},
          .reply_to = {{.name = "", .address = "answers@example.org"}},
          .sent_at = kStart + std::chrono::minutes(minute),
          .received_at = kStart + std::chrono::minutes(minute),
          .snippet = "Snippet of " + external_id,
          .text = "The text of " + external_id,
          .html = "<p>The <b>text</b> of " + external_id + "</p>",
          .attachments = {{.provider_id = "att-" + external_id,
                           .part_id = "1",
                           .name = "plan.pdf",
                           .mime_type = "application/pdf",
                           .content_id = "plan",
                           .size = 1234}},
          .label_ids = {"INBOX", "UNREAD"},
          .is_read = false,
          .size_estimate = 4321};
}

std::vector<mail::Label> SampleLabels() {
  using Role = mail::Label::Role;
  return {{.external_id = "INBOX", .name = "Inbox", .role = Role::kInbox},
          {.external_id = "UNREAD", .name = "Unread", .role = Role::kUnread, .visible = false},
          {.external_id = "STARRED", .name = "Starred", .role = Role::kStarred},
          {.external_id = "TRASH", .name = "Trash", .role = Role::kTrash},
          {.external_id = "Label_1", .name = "Travel"}};
}

mail::SyncCommit CommitFor(const connected_accounts::ConnectedAccount& account, std::int64_t epoch) {
  return {.fence = {.account_id = account.id, .generation = account.generation}, .epoch = epoch};
}

}  // namespace latchkey::storage::testing
