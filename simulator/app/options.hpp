#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/settings.hpp"

namespace latchkey::simulator {

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;

  /// "127.0.0.1:8025", "localhost:0", "[::1]:80".
  static std::expected<ListenAddress, std::string> Parse(std::string_view text);
};

/// The command line.
struct Options {
  ListenAddress listen{"127.0.0.1", 8025};
  std::optional<ListenAddress> tls_listen;
  std::string tls_dir = "latchkey-simulator-tls";
  std::vector<std::pair<std::string, std::string>> accounts;  ///< Address, name (may be empty).
  std::vector<std::pair<std::string, std::string>> microsoft_accounts;
  std::vector<std::pair<std::string, std::string>> mailboxes;  ///< Address, file.
  std::vector<std::pair<std::string, std::string>> calendars;  ///< Address, file or folder.
  std::vector<std::string> samples;
  std::string pubsub_endpoint;  ///< Empty: nothing is pushed.
  std::string pubsub_audience;
  std::string pubsub_service_account;
  std::string ready_file;
  std::string trust_ca;  ///< Of the places that pushes and notifications go to.
  std::string state_file;
  bool quiet = false;
  Settings settings;

  struct Exit {
    int status = 0;
    std::string text;  ///< Help (status 0), or what is wrong.
  };
  static std::expected<Options, Exit> Parse(int argc, const char* const* argv);
};

}  // namespace latchkey::simulator
