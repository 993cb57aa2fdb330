#include "tests/integration/support/scratch_database.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string_view>

namespace latchkey::integration {
namespace {

std::string FromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

std::string Ask(const std::string& sql) {
  PGconn* connection = PQconnectdb(FromEnvironment("LATCHKEY_TEST_POSTGRES").c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  const std::string problem = done ? "" : PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  return problem;
}

}  // namespace

bool ScratchDatabase::Wanted() { return FromEnvironment("LATCHKEY_TEST_ENGINE") == "postgresql"; }
bool ScratchDatabase::Possible() { return Wanted() && !FromEnvironment("LATCHKEY_TEST_POSTGRES").empty(); }

ScratchDatabase::ScratchDatabase()
    : name_("latchkey_it_" + std::to_string(::getpid()) + "_" + std::to_string(std::random_device()())) {
  const std::string server = FromEnvironment("LATCHKEY_TEST_POSTGRES");
  url_ = server.substr(0, server.rfind('/') + 1) + name_;
  if (const auto problem = Ask("CREATE DATABASE " + name_); !problem.empty()) throw std::runtime_error(problem);
}

ScratchDatabase::~ScratchDatabase() { Ask("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)"); }

}  // namespace latchkey::integration
