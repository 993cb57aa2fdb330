// A disk without room: the server says so once, goes on reading, and goes on by itself when there is room again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::IsEmpty;

/// A file system of its own that is small. Only root may make one.
class SmallVolume {
 public:
  explicit SmallVolume(const std::string& path) : path_(path) {
    std::filesystem::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=32m,mode=0700") == 0;
    if (!mounted_) why_not_ = std::strerror(errno);
  }
  ~SmallVolume() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallVolume(const SmallVolume&) = delete;
  SmallVolume& operator=(const SmallVolume&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& why_not() const { return why_not_; }
  const std::string& path() const { return path_; }

  void Fill() {
    std::ofstream file(path_ + "/filler", std::ios::binary | std::ios::app);
    for (const std::size_t size : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{1}}) {
      const std::string block(size, 'x');
      while (file.write(block.data(), static_cast<std::streamsize>(size)).flush()) {
      }
      file.clear();
    }
  }
  void MakeRoom() { std::filesystem::remove(path_ + "/filler"); }

 private:
  std::string path_;
  bool mounted_ = false;
  std::string why_not_;
};

class DiskFull : public IntegrationTest {
 protected:
  DiskFull() { start_server_ = false; }

  void SetUp() override {
    if (!volume_.mounted()) GTEST_SKIP() << "a small file system cannot be mounted here: " << volume_.why_not();
    server_.environment()["LATCHKEY_DATA_DIR"] = volume_.path() + "/data";
    IntegrationTest::SetUp();
    server_.Start();
    ada_ = NewPerson();
    ada_->SignInAsAdministrator();
    simulator_.Deliver(kAda, Mail("Before"));
    delivered_ = 1;
    account_ = ada_->Connect(kAda);
    ada_->WaitUntilImported(account_);
  }
  void TearDown() override {
    if (volume_.mounted()) IntegrationTest::TearDown();
  }

  std::vector<std::vector<std::string>> Query(const std::string& sql) {
    return DatabaseFile(volume_.path() + "/data/latchkey.db").Query(sql);
  }
  bj::array Notices() { return ada_->Get("/api/v1/admin/notices").Json().at("items").as_array(); }
  HttpReply Rename() {
    return ada_->Send("PATCH", "/api/v1/connected-accounts/" + account_, R"({"display_name":"Other"})");
  }
  /// Text that compression does not shrink.
  std::string Noise(std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>('a' + random_() % 26);
    return text;
  }
  /// Fills the disk until the server has met it. The log of the database has some room of its own, which new mail uses
  /// up.
  void FillUntilNoticed() {
    ASSERT_TRUE(WaitUntil([&] {
      volume_.Fill();
      if (delivered_ < 60) {
        simulator_.Deliver(kAda, Mail("Large " + std::to_string(delivered_), Noise(100'000)));
        ++delivered_;
      }
      return !Notices().empty();
    }));
  }
  bool AllArrived() { return ada_->Messages().size() == delivered_; }

  TempDirectory directory_;
  SmallVolume volume_{directory_.Sub("volume")};
  std::unique_ptr<Person> ada_;
  std::string account_;
  std::mt19937 random_{20261121};
  std::size_t delivered_ = 0;
};

TEST_F(DiskFull, ReadsGoOnWritesAreToldToComeBackAndAllOfItResumesByItself) {
  FillUntilNoticed();
  const auto notices = Notices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].at("code").as_string(), "disk_full");
  EXPECT_TRUE(notices[0].at("provider").is_null());
  // While it lasts: reading, readiness, one notice.
  EXPECT_EQ(ada_->Get("/api/v1/messages").status, 200);
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts").status, 200);
  EXPECT_EQ(ada_->Get("/readyz").status, 200);
  HttpReply refused;
  ASSERT_TRUE(WaitUntil([&] {
    volume_.Fill();
    refused = Rename();
    return refused.status == 503;
  }));
  EXPECT_EQ(refused.Code(), "disk_full");
  EXPECT_FALSE(refused.Header("Retry-After").empty());
  EXPECT_EQ(Notices().size(), 1u);
  // What comes meanwhile waits at the provider.
  for (int i = 0; i < 5; ++i) simulator_.Deliver(kAda, Mail("While full " + std::to_string(i)));
  delivered_ += 5;
  volume_.MakeRoom();
  EXPECT_TRUE(WaitUntil([&] { return AllArrived(); }));
  EXPECT_TRUE(WaitUntil([&] { return Notices().empty(); }));
  EXPECT_EQ(Rename().status, 200);
  EXPECT_THAT(Query("SELECT id, last_error_code FROM jobs WHERE state IN ('discarded', 'cancelled', 'retryable')"),
              IsEmpty());
  EXPECT_THAT(Query("SELECT error_code FROM job_logs WHERE status = 'FAILED'"), IsEmpty()) << "no attempt was counted";
}

TEST_F(DiskFull, AnImportUnderWayIsInterruptedAndCompletes) {
  bj::array mail;
  for (int i = 0; i < 150; ++i) mail.push_back(Mail("Number " + std::to_string(i), Noise(20'000)));
  delivered_ += 150;
  simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", mail}});
  FillUntilNoticed();
  volume_.MakeRoom();
  EXPECT_TRUE(WaitUntil([&] { return AllArrived(); }));
  EXPECT_THAT(Query("SELECT error_code FROM job_logs WHERE status = 'FAILED'"), IsEmpty());
}

TEST_F(DiskFull, StoppingAndStartingWithoutRoomLosesNothing) {
  FillUntilNoticed();
  EXPECT_EQ(server_.Stop(), 0);
  volume_.MakeRoom();
  simulator_.Deliver(kAda, Mail("After"));
  ++delivered_;
  server_.Start();
  EXPECT_TRUE(WaitUntil([&] { return AllArrived(); }));
}

}  // namespace
}  // namespace latchkey::integration
