#include "legacy/import.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "connected_accounts/imported.hpp"
#include "connected_accounts/token_seal.hpp"
#include "crypto/fernet.hpp"
#include "oauth/email_address.hpp"

namespace latchkey::legacy {
namespace {

using connected_accounts::Capability;
using connected_accounts::ConnectedAccount;
using connected_accounts::SealedTokens;

constexpr int kPage = 500;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxToken = 16 << 10;
/// Above this a number cannot mean seconds (the year 5138): milliseconds then.
constexpr std::int64_t kMaxSeconds = 100'000'000'000;

/// A failure of one row, as its stable word; everything else ends the import.
using Reason = std::string_view;

/// Text that may become an address, a header or a query of a provider: printable ASCII without blanks.
bool IsToken(std::string_view text) {
  return text.size() <= kMaxToken && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && oauth::CleanDisplayText(text, kMaxName) == text;
}

std::optional<Instant> AtSeconds(const std::optional<std::int64_t>& value) {
  if (!value || *value <= 0) return std::nullopt;
  const std::int64_t seconds = *value > kMaxSeconds ? *value / 1000 : *value;
  if (seconds > kMaxSeconds) return std::nullopt;
  return FromMicros(seconds * 1'000'000);
}

/// Scopes as the older program kept them: separated by blanks, or by commas.
std::vector<std::string> ScopesOf(std::string_view text) {
  std::vector<std::string> scopes;
  std::string scope;
  for (const char c : text) {
    if (c != ' ' && c != ',' && c != '\n' && c != '\t') {
      scope += c;
    } else if (!scope.empty()) {
      scopes.push_back(std::exchange(scope, {}));
    }
  }
  if (!scope.empty()) scopes.push_back(std::move(scope));
  return scopes;
}

/// A token as it stands in the older program's database, in clear.
class TokenReader {
 public:
  TokenReader(const crypto::Vault& vault, const std::vector<SecretString>& keys) : vault_(vault), keys_(keys) {}

  std::expected<SecretString, Reason> Read(const SecretString& stored) const {
    if (stored.empty()) return SecretString();
    if (!crypto::LooksLikeFernet(stored.Reveal())) {
      if (!IsToken(stored.Reveal())) return std::unexpected(Reason("bad_token"));
      return stored;
    }
    for (const auto& key : keys_) {
      if (auto clear = crypto::FernetOpen(key.Reveal(), stored.Reveal())) return Checked(std::move(*clear));
    }
    // A Fernet token is bound to no place: any context will do.
    if (auto clear = vault_.Open({}, stored.Reveal())) return Checked(clear->Reveal());
    return std::unexpected(keys_.empty() ? Reason("fernet_key_missing") : Reason("fernet_unreadable"));
  }

 private:
  static std::expected<SecretString, Reason> Checked(std::string clear) {
    if (!IsToken(clear)) return std::unexpected(Reason("bad_token"));
    return SecretString(std::move(clear));
  }
  const crypto::Vault& vault_;
  const std::vector<SecretString>& keys_;
};

SealedTokens Seal(const crypto::Vault& vault, const ConnectedAccount& account, const SecretString& access,
                  const SecretString& refresh) {
  SealedTokens sealed;
  if (!access.empty()) sealed.access_token = vault.Seal(connected_accounts::AccessTokenContext(account), access);
  if (!refresh.empty()) sealed.refresh_token = vault.Seal(connected_accounts::RefreshTokenContext(account), refresh);
  sealed.expires_at = account.token_expires_at;
  return sealed;
}

std::vector<jobs::NewJob> FirstJobs(const ConnectedAccount& account) {
  std::vector<jobs::NewJob> first;
  const auto add = [&](Capability capability, std::string_view kind) {
    if (std::ranges::find(account.granted, capability) == account.granted.end()) return;
    first.push_back({.kind = std::string(kind),
                     .unique_key = jobs::AccountKey(kind, account.id),
                     .account_id = account.id,
                     .generation = std::max<std::int64_t>(account.generation, 1)});
  };
  add(Capability::kReadMail, jobs::kFetchEmails);
  add(Capability::kReadCalendar, jobs::kFetchCalendar);
  return first;
}

void Count(ImportReport& report, RowReport row) {
  switch (row.outcome) {
    case RowOutcome::kImported:
      ++report.imported;
      break;
    case RowOutcome::kImportedBefore:
      ++report.imported_before;
      break;
    case RowOutcome::kSkipped:
      ++report.skipped;
      break;
  }
  report.rows.push_back(std::move(row));
}

/// One import's view of what does not change from row to row.
class Importer {
 public:
  Importer(Source& source, const ImportParts& parts, const ImportOptions& options)
      : source_(source), parts_(parts), options_(options), tokens_(parts.vault, options.fernet_keys) {}

  Task<Result<RowReport>> TakeOver(const OrgConnection& row) {
    RowReport report{.org_name = row.org_name, .provider = row.provider};
    const auto skip = [&](Reason why) {
      report.outcome = RowOutcome::kSkipped;
      report.reason = why;
      return report;
    };
    if (!IsName(row.org_name)) co_return skip("bad_organisation");
    const auto catalog = parts_.scopes.Find(row.provider);
    if (!catalog) co_return skip("unknown_provider");
    auto before = co_await parts_.store.WasImported(row.org_name, row.provider);
    if (!before) co_return Fail(std::move(before.error()));
    if (row.migrated || *before) {
      report.outcome = RowOutcome::kImportedBefore;
      // A kill may have come between the two databases.
      if (!row.migrated && !options_.dry_run) Mark(row, report);
      co_return report;
    }
    if (row.access_token.empty() && row.refresh_token.empty()) co_return skip("no_tokens");
    const auto access = tokens_.Read(row.access_token);
    if (!access) co_return skip(access.error());
    const auto refresh = tokens_.Read(row.refresh_token);
    if (!refresh) co_return skip(refresh.error());

    auto user = co_await UserFor(row.org_name);
    if (!user) co_return Fail(std::move(user.error()));
    if (!user->has_value()) co_return skip(user->error());

    ImportedConnection connection{.org_name = row.org_name, .user_id = **user};
    Describe(connection, row, **catalog);
    connection.tokens = Seal(parts_.vault, connection.account, *access, *refresh);
    connection.first_jobs = FirstJobs(connection.account);
    report.outcome = RowOutcome::kImported;
    report.capabilities = connection.account.granted;
    if (refresh->empty()) report.reason = "no_refresh_token";
    if (options_.dry_run) co_return report;
    report.user_id = connection.user_id.text();
    report.account_id = connection.account.id.text();
    auto stored = co_await parts_.store.StoreImported(connection);
    if (!stored) {
      if (stored.error().code == ErrorCode::kAlreadyExists) {
        report = {.org_name = row.org_name, .provider = row.provider, .outcome = RowOutcome::kImportedBefore};
      } else if (stored.error().code == ErrorCode::kStorageUnavailable || stored.error().code == ErrorCode::kDiskFull) {
        co_return Fail(std::move(stored.error()));
      } else {
        co_return skip("not_stored");
      }
    }
    if (!options_.own_database) Mark(row, report);
    co_return report;
  }

 private:
  /// The row is taken over whether or not its own database can be written to: here stands that it was.
  void Mark(const OrgConnection& row, RowReport& report) {
    if (options_.own_database) return;
    if (const auto marked = source_.MarkMigrated(row, parts_.clock.Now()); !marked) report.reason = "not_marked";
  }

  Task<Result<std::expected<UserId, Reason>>> UserFor(const std::string& org_name) {
    using Answer = std::expected<UserId, Reason>;
    if (const auto owner = options_.owners.find(org_name); owner != options_.owners.end()) {
      auto found = co_await parts_.store.FindUsersByEmail(owner->second);
      if (!found) co_return Fail(std::move(found.error()));
      if (found->empty()) co_return Answer(std::unexpected(Reason("owner_not_found")));
      if (found->size() > 1) co_return Answer(std::unexpected(Reason("owner_not_unique")));
      co_return Answer(found->front());
    }
    auto known = co_await parts_.store.FindOrganisation(org_name);
    if (!known) co_return Fail(std::move(known.error()));
    co_return Answer(*known ? **known : UserId::New(parts_.clock.Now()));
  }

  void Describe(ImportedConnection& connection, const OrgConnection& row,
                const connected_accounts::ScopeCatalog& catalog) const {
    ConnectedAccount& account = connection.account;
    const Instant now = parts_.clock.Now();
    account.id = ConnectedAccountId::New(now);
    account.user_id = connection.user_id;
    account.provider = row.provider;
    account.provider_account_id = std::string(connected_accounts::kKnownByOrganisation) + row.org_name;
    if (oauth::EmailAddress::Parse(row.org_name)) account.email = row.org_name;
    account.display_name = row.org_name;
    account.granted_scopes = ScopesOf(row.scope);
    // The older program asked for sending alone, and did not always write it down.
    if (account.granted_scopes.empty()) {
      if (auto scopes = catalog.ScopesFor({Capability::kSendMail})) account.granted_scopes = std::move(*scopes);
    }
    account.granted = catalog.CapabilitiesOf(account.granted_scopes);
    account.requested = account.granted.empty() ? std::vector{Capability::kSendMail} : account.granted;
    account.generation = 1;
    account.token_expires_at = AtSeconds(row.expires_at);
    account.created_at = now;
    connection.last_refresh_at = AtSeconds(row.last_refresh_at);
    connection.marks_own_row = options_.own_database;
  }

  Source& source_;
  const ImportParts& parts_;
  const ImportOptions& options_;
  TokenReader tokens_;
};

}  // namespace

std::string_view ToString(RowOutcome outcome) {
  switch (outcome) {
    case RowOutcome::kImported:
      return "imported";
    case RowOutcome::kImportedBefore:
      return "imported_before";
    case RowOutcome::kSkipped:
      return "skipped";
  }
  return "";
}

Task<Result<ImportReport>> Import(Source& source, const ImportParts& parts, const ImportOptions& options) {
  ImportReport report;
  Importer importer(source, parts, options);
  for (int offset = 0;; offset += kPage) {
    auto rows = source.List(offset, kPage);
    if (!rows) co_return Fail(std::move(rows.error()));
    for (const OrgConnection& row : *rows) {
      auto done = co_await importer.TakeOver(row);
      if (!done) co_return Fail(std::move(done.error()));
      Count(report, std::move(*done));
    }
    if (static_cast<int>(rows->size()) < kPage) co_return report;
  }
}

/// Gives the accounts of adopted users to the owners that the operator named.
Task<Result<ImportReport>> GiveToOwners(const ImportParts& parts, const ImportOptions& options) {
  ImportReport report;
  for (const auto& [name, address] : options.owners) {
    const auto from = co_await parts.store.FindAdoptedUser(name);
    if (!from) co_return Fail(from.error());
    // The name of an organisation, then.
    if (!*from) continue;
    const auto owners = co_await parts.store.FindUsersByEmail(address);
    if (!owners) co_return Fail(owners.error());
    if (owners->size() != 1) {
      Count(report, {.org_name = name, .reason = owners->empty() ? "owner_not_found" : "owner_not_unique"});
      continue;
    }
    if (options.dry_run) continue;
    if (auto given = co_await parts.store.GiveAdopted(**from, owners->front()); !given) {
      co_return Fail(std::move(given.error()));
    }
  }
  co_return report;
}

Task<Result<ImportReport>> ImportAdopted(const ImportParts& parts, const ImportOptions& options) {
  auto given = co_await GiveToOwners(parts, options);
  if (!given) co_return given;
  ImportReport report = std::move(*given);
  const TokenReader reader(parts.vault, options.fernet_keys);
  ConnectedAccountId after;
  for (;;) {
    auto adopted = co_await parts.store.ListAdopted(after, kPage);
    if (!adopted) co_return Fail(std::move(adopted.error()));
    for (const AdoptedAccount& one : *adopted) {
      after = one.account.id;
      RowReport row{.org_name = one.account.email,
                    .provider = one.account.provider,
                    .user_id = one.account.user_id.text(),
                    .account_id = one.account.id.text(),
                    .capabilities = one.account.granted};
      const auto access = reader.Read(one.access_token);
      const auto refresh = reader.Read(one.refresh_token);
      if (!access || !refresh) {
        row.reason = access ? refresh.error() : access.error();
      } else {
        row.outcome = RowOutcome::kImported;
        if (refresh->empty()) row.reason = "no_refresh_token";
        if (!options.dry_run) {
          const auto tokens = Seal(parts.vault, one.account, *access, *refresh);
          const auto first_jobs = FirstJobs(one.account);
          auto stored = co_await parts.store.StoreAdopted(one.account, tokens, first_jobs);
          if (!stored && stored.error().code != ErrorCode::kConflict) co_return Fail(std::move(stored.error()));
          if (!stored) row.outcome = RowOutcome::kImportedBefore;
        }
      }
      Count(report, std::move(row));
    }
    if (static_cast<int>(adopted->size()) < kPage) co_return report;
  }
}

Result<std::vector<SecretString>> ParseFernetKeys(std::string_view text) {
  std::vector<SecretString> keys;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view key = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!key.empty() && (key.back() == '\r' || key.back() == ' ' || key.back() == '\t')) key.remove_suffix(1);
    while (!key.empty() && (key.front() == ' ' || key.front() == '\t')) key.remove_prefix(1);
    if (key.empty() || key.front() == '#') continue;
    auto parsed = crypto::Vault::ParseKey(key);
    if (!parsed) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("line {} is no Fernet key: 32 bytes in base64url (44 characters)", line));
    }
    keys.push_back(std::move(*parsed));
  }
  if (keys.empty()) return Fail(ErrorCode::kInvalidArgument, "it holds no key");
  return keys;
}

}  // namespace latchkey::legacy
