#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::examples {

/// One file: what was asked, and what a provider answers.
struct Example {
  std::string name;  ///< Without ".json".
  boost::json::object document;

  /// A value by its path ("response/body/id", array indices as numbers); fails the test and gives null when absent.
  const boost::json::value& At(std::string_view path) const;
  /// That value as text: strings as they are, all else as JSON.
  std::string Text(std::string_view path) const;
  /// The answer as the client of a provider sees it; `member` is where it stands.
  http_client::HttpResponse Response(std::string_view member = "response") const;
  /// Its body, as bytes to be parsed.
  std::string Body() const { return Response().body; }
};

std::filesystem::path Folder();
/// By name; empty when there is no such folder.
const std::map<std::string, Example>& All();

using Check = std::function<void(const Example&)>;
/// Cases by file; a file may have several entries only by mistake, which is what the test looks for.
class Claims {
 public:
  void Add(std::string name, Check check) { checks_[std::move(name)].push_back(std::move(check)); }
  const std::map<std::string, std::vector<Check>>& checks() const { return checks_; }

 private:
  std::map<std::string, std::vector<Check>> checks_;
};

// One function per family of files, each in its own .cpp.
void ClaimGoogleIdentity(Claims& claims);
void ClaimGmail(Claims& claims);
void ClaimCalendar(Claims& claims);
void ClaimMicrosoftIdentity(Claims& claims);
void ClaimGraphMail(Claims& claims);
void ClaimGraphErrors(Claims& claims);
void ClaimGraphCalendar(Claims& claims);
void ClaimPush(Claims& claims);

/// What an error means: its code, whose it is, and how long to wait.
void ExpectError(const Error& error, ErrorCode code, FaultOwner owner,
                 std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

}  // namespace latchkey::examples
