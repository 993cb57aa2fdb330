#include "simulator/accounts.hpp"

#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

TEST(AccountRegistry, SubjectDependsOnlyOnTheAddress) {
  AccountRegistry first;
  AccountRegistry second;
  second.Add("someone@example.org");
  EXPECT_EQ(first.Add("Ada@Example.com").sub, second.Add("ada@example.com").sub);
  EXPECT_EQ(first.all().front().sub.size(), 21u);
}

TEST(AccountRegistry, NameIsMadeFromTheAddressWhenNoneIsGiven) {
  AccountRegistry accounts;
  const Account& account = accounts.Add("grace.hopper@example.com");
  EXPECT_EQ(account.name, "Grace Hopper");
  EXPECT_EQ(account.given_name, "Grace");
  EXPECT_EQ(account.family_name, "Hopper");
}

TEST(AccountRegistry, AddingAnAddressTwiceGivesTheSamePerson) {
  AccountRegistry accounts;
  Account& account = accounts.Add("ada@example.com", "Ada Example");
  EXPECT_EQ(&accounts.Add("ADA@example.com"), &account);
  EXPECT_EQ(accounts.all().size(), 1u);
}

TEST(AccountRegistry, OnlyConsumerAccountsHaveNoHostedDomain) {
  AccountRegistry accounts;
  EXPECT_EQ(accounts.Add("ada@example.com").hd, "example.com");
  EXPECT_EQ(accounts.Add("nobody.example@gmail.com").hd, "");
}

TEST(AccountRegistry, FindsByAddressWithoutCaseAndBySubject) {
  AccountRegistry accounts;
  Account& account = accounts.Add("ada@example.com");
  EXPECT_EQ(accounts.FindByEmail("Ada@EXAMPLE.com"), &account);
  EXPECT_EQ(accounts.FindBySub(account.sub), &account);
  EXPECT_EQ(accounts.FindByEmail("bob@example.com"), nullptr);
}

}  // namespace
}  // namespace latchkey::simulator
