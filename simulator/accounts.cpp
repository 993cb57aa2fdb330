#include "simulator/accounts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {
namespace {

/// FNV-1a: the subject must be the same in every run and on every machine, which std::hash does not promise.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// "grace.hopper@example.com" becomes "Grace Hopper".
std::string NameFromAddress(std::string_view local_part) {
  std::string name(local_part);
  bool start = true;
  for (char& c : name) {
    if (c == '.' || c == '_' || c == '-' || c == '+') c = ' ';
    if (start) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    start = c == ' ';
  }
  return name;
}

std::string DomainOf(std::string_view email) {
  const std::size_t at = email.find('@');
  return at == std::string_view::npos ? std::string() : std::string(email.substr(at + 1));
}

bool IsPersonalDomain(std::string_view domain) {
  constexpr std::array kDomains = {"outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.example"};
  return std::ranges::find(kDomains, domain) != kDomains.end();
}

}  // namespace

std::string DerivedGuid(std::string_view text) {
  const std::uint64_t high = Hash(text);
  const std::uint64_t low = Hash(std::string(text) + "#");
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFF,
                     low >> 52, low & 0xFFFFFFFFFFFF);
}

bool Account::MaySendAs(std::string_view address) const {
  return EqualsIgnoreCase(address, email) ||
         std::ranges::any_of(aliases, [&](const std::string& alias) { return EqualsIgnoreCase(address, alias); });
}

void Account::SetPersonal(bool personal) {
  provider = Provider::kMicrosoft;
  if (personal) {
    // The 16 hex digits of the consumer id, padded with zeros.
    const std::uint64_t cid = Hash("personal " + email);
    microsoft.tid = kPersonalTenant;
    microsoft.oid = fmt::format("00000000-0000-0000-{:04x}-{:012x}", cid >> 48, cid & 0xFFFFFFFFFFFF);
    hd.clear();
  } else {
    microsoft.tid = DerivedGuid("tenant " + DomainOf(email));
    microsoft.oid = DerivedGuid("user " + email);
    hd = DomainOf(email);
  }
  sub = microsoft.oid;
}

void Account::SetEmail(std::string_view address) {
  email = address;
  std::ranges::transform(email, email.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

void Account::SetName(std::string_view full_name) {
  name = full_name;
  const std::size_t blank = name.rfind(' ');
  given_name = name.substr(0, blank);
  family_name = blank == std::string::npos ? std::string() : name.substr(blank + 1);
}

Account& AccountRegistry::Add(std::string_view email, std::string_view name) {
  if (Account* existing = FindByEmail(email)) return *existing;
  Account account;
  account.SetEmail(email);
  const std::size_t at = account.email.find('@');
  const std::string domain = at == std::string::npos ? std::string() : account.email.substr(at + 1);
  account.SetName(name.empty() ? NameFromAddress(account.email.substr(0, at)) : std::string(name));
  if (domain != "gmail.com") account.hd = domain;
  account.sub = fmt::format("1{:020d}", Hash(account.email));
  return accounts_.emplace_back(std::move(account));
}

Account& AccountRegistry::AddMicrosoft(std::string_view email, std::string_view name) {
  const bool known = FindByEmail(email) != nullptr;
  Account& account = Add(email, name);
  if (known) return account;
  account.SetPersonal(IsPersonalDomain(DomainOf(account.email)));
  account.microsoft.email_claim = account.email;
  return account;
}

std::string AccountRegistry::FindTenant(std::string_view domain_or_guid) const {
  for (const Account& account : accounts_) {
    if (!account.IsMicrosoft()) continue;
    if (EqualsIgnoreCase(account.microsoft.tid, domain_or_guid)) return account.microsoft.tid;
    if (!account.IsPersonal() && EqualsIgnoreCase(account.hd, domain_or_guid)) return account.microsoft.tid;
  }
  return EqualsIgnoreCase(domain_or_guid, kPersonalTenant) ? std::string(kPersonalTenant) : std::string();
}

Account* AccountRegistry::FindByEmail(std::string_view email) {
  const auto found =
      std::ranges::find_if(accounts_, [&](const Account& account) { return EqualsIgnoreCase(account.email, email); });
  return found == accounts_.end() ? nullptr : &*found;
}

const Account* AccountRegistry::FindByEmail(std::string_view email) const {
  return const_cast<AccountRegistry*>(this)->FindByEmail(email);
}

const Account* AccountRegistry::FindBySub(std::string_view sub) const {
  const auto found = std::ranges::find(accounts_, sub, &Account::sub);
  return found == accounts_.end() ? nullptr : &*found;
}

}  // namespace latchkey::simulator
