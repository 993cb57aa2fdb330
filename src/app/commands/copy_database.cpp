#include "storage/copy/copy_database.hpp"

#include <boost/asio/io_context.hpp>
#include <iostream>

#include <fmt/format.h>

#include "app/commands/commands.hpp"
#include "app/commands/database_keys.hpp"
#include "app/exit_code.hpp"
#include "async/run_until.hpp"
#include "storage/copy/open_engine.hpp"

namespace latchkey::app {
namespace {

int Complain(int code, const std::string& text) {
  std::cerr << text << "\n";
  return code;
}

/// One line for each table that is begun, and one for every so many rows of a large one.
class Steps {
 public:
  void operator()(std::string_view step, std::string_view table, std::int64_t rows) {
    constexpr std::int64_t kEvery = 100'000;
    const bool same = step == step_ && table == table_;
    if (same && rows / kEvery == rows_ / kEvery) return;
    step_ = step;
    table_ = table;
    rows_ = rows;
    std::cerr << fmt::format("{} {}: {}\n", step == "copying" ? "Copying" : "Comparing", table, Counted(rows, "row"));
  }

 private:
  std::string step_, table_;
  std::int64_t rows_ = 0;
};

int CodeOf(const Error& error) { return error.code == ErrorCode::kInvalidArgument ? kExitSettings : kExitStorage; }

}  // namespace

int RunCopyDatabase(const Command& command) {
  boost::asio::io_context loop(1);
  const SystemClock clock;
  auto source = storage::copy::OpenSource(command.from, loop.get_executor(), clock.Now());
  if (!source) return Complain(CodeOf(source.error()), fmt::format("--from: {}", source.error().detail));
  auto target = storage::copy::OpenTarget(command.to, loop.get_executor(), clock.Now());
  if (!target) return Complain(CodeOf(target.error()), fmt::format("--to: {}", target.error().detail));
  Steps steps;
  storage::copy::CopyOptions options;
  options.now = clock.Now();
  options.progress = std::ref(steps);
  const auto report = RunUntil(loop, storage::copy::CopyDatabase(**source, **target, options));
  if (!report) {
    return Complain(CodeOf(report.error()),
                    fmt::format("The copy is not complete: {}.\nThe source is as it was.", report.error().detail));
  }
  for (const auto& table : report->tables) {
    std::cout << fmt::format("{:<24} {:>12}  {}\n", table.name, table.rows, table.checksum);
  }
  std::cout << fmt::format(
      "{}{} in {}, the same on both sides. Start the servers with DATABASE_URL set to the copy, and no longer on the "
      "source.\n",
      report->resumed ? "Went on with the earlier copy. " : "", Counted(report->rows, "row"),
      Counted(static_cast<std::int64_t>(report->tables.size()), "table"));
  return kExitOk;
}

}  // namespace latchkey::app
