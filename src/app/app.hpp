#pragma once

#include <boost/asio/io_context.hpp>
#include <expected>
#include <memory>

#include "app/exit_code.hpp"
#include "async/task.hpp"
#include "config/settings.hpp"

namespace latchkey::app {

/// Builds everything in dependency order and stops it in reverse. The only place that names concrete types. Lives on
/// the main thread, which runs the loop.
class App {
 public:
  App(boost::asio::io_context& loop, config::Settings settings);
  ~App();

  /// Opens the database, checks the keys, listens, starts the work. Blocks; runs the loop meanwhile.
  std::expected<void, StartFailure> Start();
  /// In this order: not ready any more and no job taken, streams sent elsewhere; after the drain time nothing accepted;
  /// what runs ends or is handed back; the database is closed. May hang with a database that hangs: the caller has a
  /// deadline of its own.
  Task<void> Stop();

 private:
  struct Parts;
  std::expected<void, StartFailure> OpenStorage();
  std::expected<void, StartFailure> Listen();
  void BuildServices();
  std::expected<void, StartFailure> Announce();
  std::expected<void, StartFailure> TakeDatabaseFile();
  std::expected<void, StartFailure> TakeName();
  Task<void> StopServing();
  Task<void> SaveTokens();

  boost::asio::io_context& loop_;
  config::Settings settings_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace latchkey::app
