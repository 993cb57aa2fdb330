// $batch of GraphClient: parts out, parts back, and what becomes of those that were refused in passing.

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/json_writer.hpp"
#include "mail/charset.hpp"
#include "mail/json_strings.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {
namespace {

namespace ondemand = simdjson::ondemand;

using http_client::HttpResponse;
using std::chrono::milliseconds;

constexpr std::size_t kMaxParts = 20;
constexpr milliseconds kLongestPause = std::chrono::seconds(2);

std::string BatchBody(const std::vector<GraphBatchPart>& parts, const std::vector<std::size_t>& wanted) {
  json::Writer out(512 + 256 * wanted.size());
  out.BeginObject().Key("requests").BeginArray();
  for (const std::size_t index : wanted) {
    const GraphBatchPart& part = parts[index];
    out.BeginObject().Member("id", std::to_string(index)).Member("method", part.method);
    out.Member("url", "/" + part.path).Key("headers").BeginObject();
    out.Member("Prefer", "IdType=\"ImmutableId\"");
    if (!part.body.empty()) out.Member("Content-Type", "application/json");
    for (const auto& [name, value] : part.headers) out.Member(name, value);
    out.EndObject();
    if (!part.body.empty()) out.Key("body").Raw(part.body);
    out.EndObject();
  }
  out.EndArray().EndObject();
  return out.Take();
}

std::optional<std::size_t> ReadIndex(std::string_view id) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), index);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return index;
}

bool ReadHeaders(ondemand::value value, mail::JsonStrings& strings, HttpResponse& response) {
  ondemand::object headers;
  if (value.get_object().get(headers) != simdjson::SUCCESS) return true;
  for (auto entry : headers) {
    ondemand::field field;
    std::string_view name;
    if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    // Retry-After has been seen as a number.
    std::string key(name);
    if (auto text = strings.Read(field.value())) {
      response.headers.emplace_back(std::move(key), std::string(*text));
      continue;
    }
    std::string_view raw;
    if (simdjson::to_json_string(field.value()).get(raw) != simdjson::SUCCESS) return false;
    response.headers.emplace_back(std::move(key), std::string(mail::TrimAscii(raw)));
  }
  return true;
}

/// The part's own JSON, whatever escapes are in it; the text of a body that is a string (base64 of what is no JSON).
bool ReadBody(ondemand::value value, mail::JsonStrings& strings, HttpResponse& response) {
  if (const auto text = strings.Read(value)) {
    response.body = std::string(*text);
    return true;
  }
  std::string_view raw;
  if (simdjson::to_json_string(value).get(raw) != simdjson::SUCCESS) return false;
  response.body = std::string(raw);
  return true;
}

/// Calls `take(index, response)` for each answered part; false when the document is not the documented one.
template <class Take>
bool ReadBatch(std::string& json, const Take& take) {
  ondemand::document document;
  ondemand::array responses;
  mail::JsonStrings strings;
  if (mail::ThreadParser().iterate(mail::Padded(json)).get(document) != simdjson::SUCCESS) return false;
  if (document["responses"].get_array().get(responses) != simdjson::SUCCESS) return false;
  for (auto entry : responses) {
    ondemand::object object;
    if (entry.get_object().get(object) != simdjson::SUCCESS) return false;
    std::optional<std::size_t> index;
    HttpResponse response;
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(member).get(field) != simdjson::SUCCESS) return false;
      if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
      bool good = true;
      if (name == "id") index = ReadIndex(strings.Read(field.value()).value_or(""));
      if (name == "status") response.status = static_cast<int>(strings.ReadUnsigned(field.value()).value_or(0) % 1000);
      if (name == "headers") good = ReadHeaders(field.value(), strings, response);
      if (name == "body") good = ReadBody(field.value(), strings, response);
      if (!good) return false;
    }
    if (index) take(*index, std::move(response));
  }
  return true;
}

bool MayAskAgain(const GraphBatchPart& part, const Error& error) {
  return part.method == "GET" &&
         (error.code == ErrorCode::kRateLimited || error.code == ErrorCode::kProviderUnavailable ||
          error.code == ErrorCode::kUnauthenticated);
}

}  // namespace

Task<Result<void>> GraphClient::SendBatch(const std::vector<GraphBatchPart>& parts,
                                          const std::vector<std::size_t>& wanted, GraphCall call, mail::Lane lane,
                                          std::vector<Result<HttpResponse>>& answers, SecretString& token_used) {
  GraphRequest request{.call = GraphCall::kBatch, .method = "POST", .path = "$batch", .lane = lane};
  request.token_used = &token_used;
  request.body = BatchBody(parts, wanted);
  // Repeating the call would repeat every part of it.
  request.once = std::any_of(wanted.begin(), wanted.end(), [&](std::size_t i) { return parts[i].method != "GET"; });
  auto response = co_await Send(request);
  if (!response) co_return std::unexpected(std::move(response.error()));
  const Instant now = parts_.clock.Now();
  std::vector<Error> refusals;
  const auto take = [&](std::size_t index, HttpResponse part) {
    if (std::find(wanted.begin(), wanted.end(), index) == wanted.end()) return;
    if (part.status >= 200 && part.status < 300) {
      answers[index] = std::move(part);
      return;
    }
    Error error = ClassifyGraphError(call, part, now);
    refusals.push_back(error);
    answers[index] = std::unexpected(std::move(error));
  };
  const bool read = ReadBatch(response->body, take);
  for (const Error& refusal : refusals) co_await NotePause(refusal);
  if (!read) {
    co_return Fail(ErrorCode::kMalformedReply, "graph answered $batch in no documented shape");
  }
  co_return Result<void>();
}

Task<Result<std::vector<Result<HttpResponse>>>> GraphClient::Batch(const std::vector<GraphBatchPart>& parts,
                                                                   GraphCall call, mail::Lane lane) {
  std::vector<Result<HttpResponse>> answers;
  answers.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    answers.emplace_back(Fail(ErrorCode::kMalformedReply, "graph left this part of $batch unanswered"));
  }
  for (std::size_t begin = 0; begin < parts.size(); begin += kMaxParts) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = begin; i < std::min(begin + kMaxParts, parts.size()); ++i) wanted.push_back(i);
    SecretString token_used;
    for (int attempt = 0; !wanted.empty(); ++attempt) {
      auto sent = co_await SendBatch(parts, wanted, call, lane, answers, token_used);
      if (!sent) co_return std::unexpected(std::move(sent.error()));
      if (attempt >= parts_.options.max_retries) break;
      milliseconds wait(0);
      std::erase_if(wanted, [&](std::size_t i) { return answers[i] || !MayAskAgain(parts[i], answers[i].error()); });
      bool refused = false;
      for (const std::size_t i : wanted) {
        wait = std::max(wait, answers[i].error().retry_after.value_or(parts_.options.retry_delay));
        refused |= answers[i].error().code == ErrorCode::kUnauthenticated;
      }
      // The caller is told how long; nothing else may go out meanwhile either.
      if (wait > kLongestPause || wanted.empty()) break;
      if (refused) {
        const auto token = co_await parts_.tokens.AccessToken(account_, token_used);
        if (!token) co_return std::unexpected(token.error());
      }
      co_await SleepFor(wait);
    }
  }
  for (auto& answer : answers) {
    if (!answer && answer.error().code == ErrorCode::kUnauthenticated) {
      answer.error().code = ErrorCode::kReauthInvalidGrant;
    }
  }
  co_return answers;
}

}  // namespace latchkey::microsoft
