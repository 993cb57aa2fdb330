#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "app/commands/commands.hpp"
#include "app/commands/database_keys.hpp"
#include "app/exit_code.hpp"
#include "app/keys.hpp"
#include "async/run_until.hpp"
#include "base/json_writer.hpp"
#include "legacy/import.hpp"
#include "providers/google/google_oauth.hpp"
#include "providers/microsoft/microsoft_oauth.hpp"
#include "storage/database.hpp"

namespace latchkey::app {
namespace {

int Complain(int code, const std::string& text) {
  std::cerr << text << "\n";
  return code;
}

Result<std::vector<SecretString>> ReadFernetKeys(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) return Fail(ErrorCode::kInvalidArgument, "it cannot be read");
  return legacy::ParseFernetKeys(text);
}

Result<std::map<std::string, std::string>> ReadOwners(const std::vector<std::string>& options) {
  std::map<std::string, std::string> owners;
  for (const auto& option : options) {
    const auto equals = option.rfind('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == option.size())
      return Fail(ErrorCode::kInvalidArgument, "write --owner ORGANISATION=ADDRESS");
    owners[option.substr(0, equals)] = option.substr(equals + 1);
  }
  return owners;
}

std::string_view Words(std::string_view reason) {
  if (reason == "no_tokens") return "no tokens: the connection was begun and never finished";
  if (reason == "unknown_provider") return "not a provider of ours";
  if (reason == "bad_organisation") return "the organisation's name is empty, too long or holds control characters";
  if (reason == "fernet_key_missing") return "its tokens are encrypted: name the key with --fernet-key-file";
  if (reason == "fernet_unreadable") return "none of the keys opens its tokens";
  if (reason == "bad_token") return "its token holds characters that no token has";
  if (reason == "owner_not_found") return "nobody here has the owner's address as a verified one";
  if (reason == "owner_not_unique") return "several users here have the owner's address";
  if (reason == "not_stored") return "another row or import stood in its way: run the import again";
  if (reason == "no_refresh_token") return "without a refresh token: its person has to reconnect soon";
  if (reason == "not_marked") return "the old row could not be marked, which changes nothing here";
  return "";
}

void PrintTable(const legacy::ImportReport& report, bool dry_run) {
  for (const auto& row : report.rows) {
    const bool would = dry_run && row.outcome == legacy::RowOutcome::kImported;
    std::string can;
    for (const auto capability : row.capabilities) {
      can += fmt::format("{}{}", can.empty() ? "" : ",", connected_accounts::ToString(capability));
    }
    std::cout << fmt::format("{:<16} {:<10} {:<32} {}{}{}\n", would ? "would_import" : legacy::ToString(row.outcome),
                             row.provider, row.org_name, can, can.empty() || row.reason.empty() ? "" : "; ",
                             Words(row.reason));
  }
  std::cout << fmt::format("{} {}, {} before, {} skipped.\n", Counted(report.imported, "row"),
                           dry_run ? "would be imported" : "imported", report.imported_before, report.skipped);
}

void PrintJson(const legacy::ImportReport& report, bool dry_run) {
  json::Writer out;
  out.BeginObject().Member("dry_run", dry_run).Member("imported", report.imported);
  out.Member("imported_before", report.imported_before).Member("skipped", report.skipped).Key("rows").BeginArray();
  for (const auto& row : report.rows) {
    out.BeginObject().Member("organisation", row.org_name).Member("provider", row.provider);
    out.Member("outcome", legacy::ToString(row.outcome)).Member("reason", row.reason);
    out.Member("user_id", row.user_id).Member("account_id", row.account_id).Key("capabilities").BeginArray();
    for (const auto capability : row.capabilities) out.Value(connected_accounts::ToString(capability));
    out.EndArray().EndObject();
  }
  out.EndArray().EndObject();
  std::cout << out.Take() << "\n";
}

void Append(legacy::ImportReport& report, legacy::ImportReport more) {
  report.imported += more.imported;
  report.imported_before += more.imported_before;
  report.skipped += more.skipped;
  report.rows.insert(report.rows.end(), std::move_iterator(more.rows.begin()), std::move_iterator(more.rows.end()));
}

/// The rows of `source`, and after them the accounts of an adopted database.
Task<Result<legacy::ImportReport>> ImportAll(legacy::Source& source, const legacy::ImportParts& parts,
                                             const legacy::ImportOptions& options) {
  auto report = co_await legacy::Import(source, parts, options);
  if (!report || !options.own_database) co_return report;
  auto adopted = co_await legacy::ImportAdopted(parts, options);
  if (!adopted) co_return adopted;
  Append(*report, std::move(*adopted));
  co_return report;
}

}  // namespace

int RunImportLegacy(const Command& command, const config::Loaded& loaded) {
  const auto& settings = loaded.settings;
  legacy::ImportOptions options;
  options.dry_run = command.dry_run;
  auto owners = ReadOwners(command.owners);
  if (!owners) return Complain(kExitSettings, owners.error().detail);
  options.owners = std::move(*owners);
  if (!command.fernet_key_file.empty()) {
    auto keys = ReadFernetKeys(command.fernet_key_file);
    if (!keys) return Complain(kExitSettings, fmt::format("{}: {}", command.fernet_key_file, keys.error().detail));
    options.fernet_keys = std::move(*keys);
  }
  auto vault = crypto::Vault::Make(settings.encryption_keys);
  if (!vault) return Complain(kExitSettings, fmt::format("ENCRYPTION_KEY: {}", vault.error().detail));

  boost::asio::io_context loop(1);
  const SystemClock clock;
  const storage::DatabaseOptions database_options{.url = settings.DatabasePath()};
  auto database = storage::Database::Open(database_options, loop.get_executor(), clock);
  if (!database) return Complain(kExitStorage, fmt::format("The database cannot be used: {}", database.error().detail));
  // Tokens sealed with a key that does not belong to this database could not be opened again.
  if (const auto keys = RunUntil(loop, CheckKeys((*database)->keys(), *vault)); !keys)
    return Complain(keys.error().code, keys.error().text);

  const auto own = SqlitePath(settings);
  const std::string own_url = own ? "sqlite:" + *own : settings.database_url;
  const std::string url = command.from.empty() ? own_url : command.from;
  std::error_code ignored;
  options.own_database =
      url == own_url || (own && url.starts_with("sqlite:") &&
                         std::filesystem::equivalent(url.substr(std::string_view("sqlite:").size()), *own, ignored));
  auto source = legacy::OpenSource(url);
  if (!source) {
    const bool settings_fault = source.error().code == ErrorCode::kInvalidArgument;
    return Complain(settings_fault ? kExitSettings : kExitStorage, fmt::format("--from: {}", source.error().detail));
  }
  connected_accounts::ScopeCatalogs scopes;
  scopes.Add(google::MakeScopeCatalog());
  scopes.Add(microsoft::MakeScopeCatalog());
  const legacy::ImportParts parts{(*database)->legacy_imports(), *vault, scopes, clock};
  auto report = RunUntil(loop, ImportAll(**source, parts, options));
  if (!report)
    return Complain(kExitStorage, fmt::format("The import stopped: {}. What was taken over stays; run it "
                                              "again to go on.",
                                              report.error().detail));
  if (command.json) {
    PrintJson(*report, command.dry_run);
  } else {
    PrintTable(*report, command.dry_run);
  }
  return kExitOk;
}

}  // namespace latchkey::app
