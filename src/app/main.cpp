#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <fmt/format.h>

#include "app/app.hpp"
#include "app/command_line.hpp"
#include "app/commands/commands.hpp"
#include "app/exit_code.hpp"
#include "app/keys.hpp"
#include "async/run_until.hpp"
#include "config/data_directory.hpp"
#include "config/load.hpp"
#include "storage/database.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {
namespace {

/// A little less than the fifteen seconds that are promised.
constexpr std::chrono::milliseconds kStopsWithin = std::chrono::seconds(13);

log::Level LevelOf(std::string_view name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warning") return log::Level::kWarning;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

int Complain(ExitCode code, std::string_view headline, const std::string& text) {
  std::cerr << headline << "\n" << text;
  return code;
}

int RunKeys(const Command& command, const config::Settings& settings) {
  boost::asio::io_context loop(1);
  const SystemClock clock;
  const storage::DatabaseOptions options{.url = settings.DatabasePath()};
  auto database = storage::Database::Open(options, loop.get_executor(), clock);
  if (!database) return Complain(kExitStorage, "The database cannot be used:", database.error().detail + "\n");
  auto vault = crypto::Vault::Make(settings.encryption_keys);
  if (!vault) return Complain(kExitSettings, "ENCRYPTION_KEY:", vault.error().detail + "\n");
  return RunUntil(loop, RunKeysCommand(command.verb, (*database)->keys(), *vault));
}

/// A database, disk or file system that hangs must not keep the process: everything it holds survives kill -9, and its
/// jobs go on elsewhere when their leases run out.
void EndAnywayAfter(std::chrono::milliseconds limit) {
  std::thread([limit] {
    std::this_thread::sleep_for(limit);
    log::Warn("server.stop_cut_short", {{"after_ms", limit.count()}});
    std::_Exit(kExitOk);
  }).detach();
}

int Serve(const config::Settings& settings) {
  boost::asio::io_context loop(1);
  // Without it a loop that has nothing to do for a moment, between two steps of the start, counts as stopped, and the
  // run below would be over before it began.
  const auto work = boost::asio::make_work_guard(loop);
  // Before anybody can learn that the server is ready: a signal that comes right then must end it in order.
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  App app(loop, settings);
  if (auto started = app.Start(); !started) {
    std::cerr << started.error().text;
    log::Failure("server.not_started", {{"exit_code", static_cast<int>(started.error().code)}});
    return started.error().code;
  }
  std::exception_ptr failure;
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    // A second signal meets the system's own answer: it ends the process at once, whatever the loop is doing.
    boost::system::error_code ignored;
    signals.clear(ignored);
    EndAnywayAfter(kStopsWithin);
    boost::asio::co_spawn(loop, app.Stop(), [&](std::exception_ptr thrown) {
      failure = thrown;
      loop.stop();
    });
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return kExitOk;
}

int Main(int argc, char** argv) {
  auto [command, exit_code] = ParseCommandLine(argc, argv);
  if (exit_code) return *exit_code;
  command.sources.environment = config::ReadEnvironment();
  auto loaded = config::Load(command.sources);
  if (!loaded) return Complain(kExitSettings, "Latchkey cannot start with these settings:", Describe(loaded.error()));
  if (command.verb == Command::Verb::kConfigCheck) {
    std::cout << config::Print(*loaded);
    return kExitOk;
  }
  log::SetLevel(LevelOf(loaded->settings.log_level));
  if (command.verb == Command::Verb::kCopyDatabase) return RunCopyDatabase(command);
  if (const auto problems = config::PrepareDataDirectory(*loaded); !problems.empty())
    return Complain(kExitStorage, "Latchkey cannot use its data directory:", Describe(problems));
  switch (command.verb) {
    case Command::Verb::kServe:
      return Serve(loaded->settings);
    case Command::Verb::kBackup:
      return RunBackup(command, *loaded);
    case Command::Verb::kRestore:
      return RunRestore(command, *loaded);
    case Command::Verb::kRestored:
      return RunRestored(*loaded);
    case Command::Verb::kImportLegacy:
      return RunImportLegacy(command, *loaded);
    default:
      return RunKeys(command, loaded->settings);
  }
}

}  // namespace
}  // namespace latchkey::app

int main(int argc, char** argv) {
  // A client that leaves is an error code of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return latchkey::app::Main(argc, argv);
  } catch (const std::exception& failure) {
    latchkey::log::Failure("server.crashed", {{"detail", failure.what()}});
    std::cerr << "Latchkey ended unexpectedly: " << failure.what() << "\n";
    return latchkey::app::kExitFailure;
  }
}
