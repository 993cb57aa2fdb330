#include "simulator/app/state_file.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/microsoft/microsoft_identity.hpp"
#include "simulator/testing/google_flow.hpp"

namespace latchkey::simulator {
namespace {

/// Google's flow with Microsoft beside it.
struct GoogleFlow : testing::GoogleFlow {
  entra::MicrosoftIdentity microsoft{clock, accounts, settings};
};
using ::testing::HasSubstr;
using testing::kRead;
using testing::Text;

class StateFiles : public ::testing::Test {
 protected:
  StateFiles() { std::filesystem::remove(path_); }
  ~StateFiles() override { std::filesystem::remove(path_); }

  const std::string path_ =
      (std::filesystem::path(::testing::TempDir()) / ("simulator-state-" + std::to_string(getpid()))).string();
  const Instant first_ = *ParseInstant("2026-11-20T12:00:00Z");
  const Instant later_ = *ParseInstant("2026-11-21T12:00:00Z");
};

TEST_F(StateFiles, GrantsAndTheBeginningComeBack) {
  GoogleFlow flow;
  auto state = StateFile::Open(path_, first_);
  ASSERT_TRUE(state) << state.error();
  ASSERT_TRUE(state->Attach(flow.google.grants(), flow.microsoft.grants(), flow.accounts));
  const std::string token = Text(flow.Tokens(kRead), "refresh_token");
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  Account& work = flow.accounts.AddMicrosoft("grace@example.org");
  const Grant grant{&work, flow.settings.microsoft_client_id, {"openid", "Mail.Read", "offline_access"}};
  flow.microsoft.grants().Consent(work, grant.client_id, grant.scopes);
  const std::string microsoft = *flow.microsoft.grants().Issue(grant, grant, true).refresh_token;

  GoogleFlow next;
  next.accounts.AddMicrosoft("grace@example.org");
  auto again = StateFile::Open(path_, later_);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->began(), first_);
  ASSERT_TRUE(again->Attach(next.google.grants(), next.microsoft.grants(), next.accounts));
  EXPECT_EQ(next.Refresh(token).status, 200);
  EXPECT_EQ(next.microsoft.grants().FindRefresh(microsoft, grant.client_id).failure,
            entra::EntraGrants::Failure::kNone);
}

TEST_F(StateFiles, WithoutAPathNothingIsKept) {
  GoogleFlow flow;
  auto state = StateFile::Open("", first_);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->began(), first_);
  EXPECT_TRUE(state->Attach(flow.google.grants(), flow.microsoft.grants(), flow.accounts));
}

TEST_F(StateFiles, ForeignFilesAreRefusedAndLeftAlone) {
  for (const char* text : {"odd", "[]", "{}", R"({"began": "2026-11-20T12:00:00Z", "google": 5})"}) {
    std::ofstream(path_) << text;
    const auto state = StateFile::Open(path_, first_);
    ASSERT_FALSE(state) << text;
    EXPECT_THAT(state.error(), HasSubstr("Delete it or name another"));
  }
  std::ifstream in(path_);
  EXPECT_EQ(in.get(), '{');
}

TEST_F(StateFiles, UnwritablePlaceIsNamed) {
  GoogleFlow flow;
  auto state = StateFile::Open("/nowhere/state.json", first_);
  ASSERT_TRUE(state);
  EXPECT_THAT(state->Attach(flow.google.grants(), flow.microsoft.grants(), flow.accounts).error(),
              HasSubstr("cannot write /nowhere/state.json"));
}

}  // namespace
}  // namespace latchkey::simulator
