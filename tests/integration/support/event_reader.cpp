#include "tests/integration/support/event_reader.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "tests/integration/support/contract.hpp"

namespace latchkey::integration {

EventReader::EventReader(std::string url, std::vector<std::string> headers)
    : thread_([this, url = std::move(url), headers = std::move(headers)]() mutable { Run(url, headers); }) {}

EventReader::~EventReader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  thread_.join();
  for (const auto& event : events_) {
    boost::json::error_code error;
    const auto data = boost::json::parse(event.data, error);
    if (error) ADD_FAILURE() << "an event is no JSON: " << event.data;
    for (const auto& problem : Contract::Shared().CheckEvent(data))
      ADD_FAILURE() << "contract: event " << event.data << ": " << problem;
  }
}

void EventReader::Run(std::string url, std::vector<std::string> headers) {
  CURL* curl = curl_easy_init();
  curl_ = curl;
  curl_slist* list = curl_slist_append(nullptr, "Accept: text/event-stream");
  for (const auto& header : headers) list = curl_slist_append(list, header.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &EventReader::OnData);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &EventReader::OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_slist_free_all(list);
  curl_easy_cleanup(curl);
  const std::lock_guard lock(mutex_);
  status_ = status;
  ended_ = true;
  changed_.notify_all();
}

int EventReader::OnProgress(void* self, long long, long long, long long, long long) {
  auto& reader = *static_cast<EventReader*>(self);
  const std::lock_guard lock(reader.mutex_);
  return reader.stop_ ? 1 : 0;
}

std::size_t EventReader::OnData(char* data, std::size_t size, std::size_t count, void* self) {
  auto& reader = *static_cast<EventReader*>(self);
  const std::lock_guard lock(reader.mutex_);
  if (reader.status_ == 0) curl_easy_getinfo(static_cast<CURL*>(reader.curl_), CURLINFO_RESPONSE_CODE, &reader.status_);
  reader.pending_.append(data, size * count);
  reader.TakeLines();
  reader.changed_.notify_all();
  return size * count;
}

void EventReader::TakeLines() {
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
    auto line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) {
      if (!current_.data.empty()) events_.push_back(current_);
      current_ = {};
      continue;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string::npos ? std::string() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "id") current_.id = value;
    if (field == "event") current_.type = value;
    if (field == "data") current_.data += (current_.data.empty() ? "" : "\n") + value;
  }
}

std::optional<StreamedEvent> EventReader::WaitFor(const std::function<bool(const StreamedEvent&)>& wanted,
                                                  std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  std::optional<StreamedEvent> found;
  changed_.wait_for(lock, timeout, [&] {
    const auto event = std::ranges::find_if(events_, wanted);
    if (event != events_.end()) found = *event;
    return found || ended_;
  });
  return found;
}

bool EventReader::WaitForEnd(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return ended_; });
}

long EventReader::WaitForStatus(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return status_ != 0 || ended_; });
  return status_;
}

std::vector<StreamedEvent> EventReader::events() {
  const std::lock_guard lock(mutex_);
  return events_;
}

}  // namespace latchkey::integration
