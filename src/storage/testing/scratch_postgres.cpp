#include "storage/testing/scratch_postgres.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "base/random.hpp"

namespace latchkey::storage::testing {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Link = std::unique_ptr<PGconn, Finish>;
using Answer = std::unique_ptr<PGresult, Clear>;

Link Connect(const std::string& url) {
  Link link(PQconnectdb(url.c_str()));
  if (PQstatus(link.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(link.get()));
  PQsetNoticeReceiver(link.get(), [](void*, const PGresult*) {}, nullptr);
  return link;
}

Answer Ask(const Link& link, const std::string& sql) {
  Answer answer(PQexec(link.get(), sql.c_str()));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    throw std::runtime_error(PQresultErrorMessage(answer.get()));
  }
  return answer;
}

std::string Server() {
  auto server = PostgresServer();
  if (!server) throw std::runtime_error("LATCHKEY_TEST_POSTGRES names no server");
  return *server;
}

std::string NewName() {
  std::string name = "latchkey_" + std::to_string(::getpid()) + "_";
  for (const char byte : RandomBytes(8)) name += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return name;
}

std::string UrlOf(const std::string& name) {
  const std::string server = Server();
  return server.substr(0, server.rfind('/') + 1) + name;
}

void Create(const std::string& name, const std::string& model) {
  Ask(Connect(Server()), fmt::format("CREATE DATABASE {} TEMPLATE {}", name, model));
}

void Drop(const std::string& name) {
  Ask(Connect(Server()), fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
}

/// A migrated database that others are copied from: much quicker than migrating each.
class Model {
 public:
  Model() {
    Create(name_, "template1");
    MigratePostgres(UrlOf(name_));
  }
  ~Model() {
    try {
      Drop(name_);
    } catch (const std::exception&) {
      // The server goes away with the tests anyway.
    }
  }
  const std::string& name() const { return name_; }

 private:
  const std::string name_ = NewName();
};

const std::string& MigratedModel() {
  static const Model model;
  return model.name();
}

}  // namespace

void MigratePostgres(const std::string& url) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(LATCHKEY_SOURCE_DIR "/migrations/postgres")) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  const Link link = Connect(url);
  Ask(link,
      "CREATE TABLE IF NOT EXISTS schema_migrations (version integer NOT NULL PRIMARY KEY, name text NOT NULL, "
      "applied_at timestamptz NOT NULL)");
  for (const auto& file : files) {
    std::ifstream in(file);
    const std::string sql{std::istreambuf_iterator<char>(in), {}};
    const std::string name = file.stem().string();
    const std::string version = std::to_string(std::stoi(name.substr(0, 4)));
    if (PQntuples(Ask(link, "SELECT 1 FROM schema_migrations WHERE version = " + version).get()) > 0) continue;
    Ask(link, "BEGIN");
    Ask(link, sql);
    Ask(link, fmt::format("INSERT INTO schema_migrations VALUES ({}, '{}', now())", version, name.substr(5)));
    Ask(link, "COMMIT");
  }
}

std::optional<std::string> PostgresServer() {
  const char* server = std::getenv("LATCHKEY_TEST_POSTGRES");
  if (server == nullptr || *server == '\0') return std::nullopt;
  return server;
}

ScratchPostgres::ScratchPostgres(Schema schema) : name_(NewName()), url_(UrlOf(name_)) {
  Create(name_, schema == Schema::kMigrated ? MigratedModel() : "template1");
}

ScratchPostgres::~ScratchPostgres() { Drop(name_); }

std::vector<std::vector<std::string>> ScratchPostgres::Run(const std::string& sql) const {
  const Answer answer = Ask(Connect(url_), sql);
  std::vector<std::vector<std::string>> rows;
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    std::vector<std::string> columns;
    for (int column = 0; column < PQnfields(answer.get()); ++column) {
      columns.emplace_back(PQgetisnull(answer.get(), row, column) != 0 ? "NULL"
                                                                       : PQgetvalue(answer.get(), row, column));
    }
    rows.push_back(std::move(columns));
  }
  return rows;
}

std::string ScratchPostgres::One(const std::string& sql) const {
  const auto rows = Run(sql);
  if (rows.empty() || rows.front().empty()) throw std::runtime_error("no row: " + sql);
  return rows.front().front();
}

std::optional<std::string> ScratchPostgres::RefusalOf(const std::string& sql) const {
  const Link link = Connect(url_);
  const Answer answer(PQprepare(link.get(), "", sql.c_str(), 0, nullptr));
  if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return std::nullopt;
  return PQresultErrorMessage(answer.get());
}

std::string PostgresUrl(const std::string&) {
  const std::string name = NewName();
  Create(name, MigratedModel());
  return UrlOf(name);
}

void DropPostgres(const std::string& url) { Drop(url.substr(url.rfind('/') + 1)); }

}  // namespace latchkey::storage::testing
