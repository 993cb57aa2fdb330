#include "storage/postgres/address.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include <fmt/format.h>

namespace latchkey::storage::postgres {
namespace {

/// What the person did not say. A peer that is gone is found out by the transport within seconds; deadlines of ours
/// stand before that. Statements here take microseconds and touch few rows, but the planner cannot know how few: where
/// it guesses high it would compile them, tens of milliseconds for every claim of a job.
constexpr std::pair<const char*, const char*> kDefaults[] = {
    {"application_name", "latchkey"}, {"client_encoding", "UTF8"},  {"keepalives", "1"},
    {"keepalives_idle", "10"},        {"keepalives_interval", "5"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},    {"options", "-c jit=off"},
};

bool IsNumeric(const std::string& host) {
  std::string part;
  std::istringstream parts(host);
  while (std::getline(parts, part, ',')) {
    unsigned char address[sizeof(in6_addr)];
    const bool socket = part.empty() || part[0] == '/' || part[0] == '@';
    if (!socket && ::inet_pton(AF_INET, part.c_str(), address) != 1 &&
        ::inet_pton(AF_INET6, part.c_str(), address) != 1)
      return false;
  }
  return true;
}

}  // namespace

bool Address::Is(const std::string& url) { return url.starts_with("postgresql://") || url.starts_with("postgres://"); }

Result<Address> Address::Parse(const std::string& url) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(url.c_str(), &complaint),
                                                                               &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> words(complaint, &PQfreemem);
  if (!options || !Is(url)) {
    // libpq quotes what it could not read, which may be the password.
    return Fail(ErrorCode::kInvalidArgument,
                "DATABASE_URL cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with % and two hex "
                "digits for special characters in the password");
  }
  Address address;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    if (option->val && *option->val) address.parameters_.emplace_back(option->keyword, option->val);
  }
  for (const auto& [keyword, value] : kDefaults) {
    const auto has = [&](const auto& parameter) { return parameter.first == keyword; };
    if (std::ranges::none_of(address.parameters_, has)) address.parameters_.emplace_back(keyword, value);
  }
  address.Describe();
  return address;
}

void Address::Describe() {
  std::string host, hostaddr, port = "5432", database;
  for (const auto& [keyword, value] : parameters_) {
    if (keyword == "host") host = value;
    if (keyword == "hostaddr") hostaddr = value;
    if (keyword == "port") port = value;
    if (keyword == "dbname") database = value;
  }
  numeric_ = !hostaddr.empty() || IsNumeric(host);
  name_ = fmt::format("{}:{}/{}", host.empty() ? (hostaddr.empty() ? "localhost" : hostaddr) : host, port, database);
}

Address Address::WithDatabase(const std::string& database) const {
  Address other = *this;
  std::erase_if(other.parameters_, [](const auto& parameter) { return parameter.first == "dbname"; });
  other.parameters_.emplace_back("dbname", database);
  other.Describe();
  return other;
}

}  // namespace latchkey::storage::postgres
