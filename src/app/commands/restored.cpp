#include <boost/asio/io_context.hpp>
#include <iostream>

#include <fmt/format.h>

#include "app/commands/commands.hpp"
#include "app/commands/database_keys.hpp"
#include "app/exit_code.hpp"
#include "async/run_until.hpp"
#include "storage/database.hpp"
#include "storage/restore_mark.hpp"

namespace latchkey::app {

int RunRestored(const config::Loaded& loaded) {
  boost::asio::io_context loop(1);
  const SystemClock clock;
  const storage::DatabaseOptions options{.url = loaded.settings.DatabasePath()};
  auto database = storage::Database::Open(options, loop.get_executor(), clock);
  if (!database) {
    std::cerr << "The database cannot be used: " << database.error().detail << "\n";
    return kExitStorage;
  }
  const auto mark = RunUntil(loop, (*database)->MarkRestored());
  if (!mark) {
    std::cerr << "The database could not be marked: " << mark.error().detail << "\n";
    return kExitStorage;
  }
  std::cout << fmt::format(
      "{} held: sent perhaps in the time that is lost. Each is shown to its sender, who sends or discards it.\n"
      "{} ended and {} revoked: everybody signs in again.\n"
      "Browsers reload; mailboxes and calendars catch up with their providers when a server starts.\n",
      Counted(mark->held_mails, "mail"), Counted(mark->ended_sessions, "session"),
      Counted(mark->revoked_families, "refresh token"));
  return kExitOk;
}

}  // namespace latchkey::app
