#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "tests/integration/support/browser.hpp"
#include "tests/integration/support/process.hpp"
#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::integration {

inline constexpr const char* kClientId = "latchkey-demo.apps.googleusercontent.com";
/// A canary: must never show up in a log.
inline constexpr const char* kClientSecret = "canary-client-secret-6b1f0c";
inline constexpr const char* kMicrosoftClientId = "5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29";
inline constexpr const char* kMicrosoftClientSecret = "canary-microsoft-secret-91d4e7";

/// The real simulator on a port of its own, and its control API.
class Simulator {
 public:
  explicit Simulator(std::vector<std::string> more_arguments = {});

  const std::string& url() const { return url_; }
  std::string discovery_url() const { return url_ + "/google/.well-known/openid-configuration"; }
  std::string microsoft_discovery_url() const { return url_ + "/common/v2.0/.well-known/openid-configuration"; }

  /// A control call: `path` after /control. Fails the test unless it answers 2xx.
  boost::json::value Get(const std::string& path);
  boost::json::value Post(const std::string& path, const boost::json::value& body);
  boost::json::value Patch(const std::string& path, const boost::json::value& body);
  void Delete(const std::string& path);

  /// What a person does on chooser and consent of the provider that `url` belongs to: the address that the provider
  /// sends the browser to. Microsoft's consent has no boxes to untick.
  struct Choice {
    std::string account;
    bool approve = true;
    std::vector<std::string> untick;
  };
  std::string Authorize(const std::string& url, const Choice& choice);
  /// Delivers a message made of parts; returns its id.
  std::string Deliver(const std::string& email, const boost::json::value& message);
  void AddAccount(const std::string& email, const std::string& name);
  std::string log() const { return ReadFile(directory_.Sub("simulator.log")); }
  void Stop() { process_.Kill(); }

 private:
  boost::json::value Call(const std::string& method, const std::string& path, const boost::json::value* body);

  TempDirectory directory_;
  Process process_;
  std::string url_;
};

}  // namespace latchkey::integration
