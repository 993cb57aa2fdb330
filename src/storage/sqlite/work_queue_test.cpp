#include "storage/sqlite/work_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace latchkey::storage::sqlite {
namespace {

class NamedUnit final : public Unit {
 public:
  NamedUnit(std::string chosen, Urgency worth) : name(std::move(chosen)) { urgency = worth; }
  void Refuse(Error) override {}
  void Finish() override {}
  const std::string name;
};

std::unique_ptr<Unit> Usual(std::string name) { return std::make_unique<NamedUnit>(std::move(name), Urgency::kUsual); }
std::unique_ptr<Unit> Bulk(std::string name) { return std::make_unique<NamedUnit>(std::move(name), Urgency::kBulk); }

std::string Names(const std::vector<std::unique_ptr<Unit>>& units) {
  std::string names;
  for (const auto& unit : units) names += static_cast<const NamedUnit&>(*unit).name;
  return names;
}

TEST(WorkQueueTest, UsualWorkIsTakenTogetherAndBulkAloneBehindIt) {
  WorkQueue queue(10, {});
  for (const char* name : {"A", "B"}) EXPECT_EQ(queue.Push(Bulk(name)), nullptr);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(queue.Push(Usual(name)), nullptr);
  EXPECT_EQ(Names(queue.Take(2)), "ab");
  EXPECT_EQ(Names(queue.Take(2)), "c");
  EXPECT_EQ(Names(queue.Take(2)), "A");
  EXPECT_EQ(Names(queue.Take(2)), "B");
}

TEST(WorkQueueTest, BulkWorkHasItsTurnAlthoughUsualWorkNeverEnds) {
  WorkQueue queue(10, {});
  EXPECT_EQ(queue.Push(Bulk("A")), nullptr);
  std::string taken;
  while (taken != "A") {
    EXPECT_EQ(queue.Push(Usual("a")), nullptr);
    taken = Names(queue.Take(10));
  }
  EXPECT_EQ(Names(queue.Take(10)), "a");
}

TEST(WorkQueueTest, TheNextWriteOfAChainOvertakesBulkWorkThatWaitsAlone) {
  // Longer than any pause of this machine.
  constexpr std::chrono::minutes kLong{10};
  WorkQueue queue(10, {.anticipation = kLong, .longest_passed_by = kLong});
  EXPECT_EQ(queue.Push(Usual("a")), nullptr);
  EXPECT_EQ(Names(queue.Take(10)), "a");
  EXPECT_EQ(queue.Push(Bulk("A")), nullptr);
  std::jthread next([&queue] { EXPECT_EQ(queue.Push(Usual("b")), nullptr); });
  EXPECT_EQ(Names(queue.Take(10)), "b");
}

TEST(WorkQueueTest, AChainThatIsOverHoldsNobodyBack) {
  WorkQueue queue(10, {.anticipation = std::chrono::milliseconds(1), .longest_passed_by = std::chrono::minutes(10)});
  EXPECT_EQ(queue.Push(Usual("a")), nullptr);
  EXPECT_EQ(Names(queue.Take(10)), "a");
  EXPECT_EQ(queue.Push(Bulk("A")), nullptr);
  EXPECT_EQ(Names(queue.Take(10)), "A");
  EXPECT_EQ(queue.Push(Bulk("B")), nullptr);
  EXPECT_EQ(Names(queue.Take(10)), "B");
}

TEST(WorkQueueTest, BothLinesCountForTheLimitAndAClosedQueueIsDrained) {
  WorkQueue queue(2, {});
  EXPECT_EQ(queue.Push(Bulk("A")), nullptr);
  EXPECT_EQ(queue.Push(Usual("a")), nullptr);
  EXPECT_NE(queue.Push(Usual("b")), nullptr);
  EXPECT_NE(queue.Push(Bulk("B")), nullptr);
  queue.Close();
  EXPECT_NE(queue.Push(Usual("c")), nullptr);
  EXPECT_EQ(Names(queue.Take(10)), "a");
  EXPECT_EQ(Names(queue.Take(10)), "A");
  EXPECT_TRUE(queue.Take(10).empty());
}

}  // namespace
}  // namespace latchkey::storage::sqlite
