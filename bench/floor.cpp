// The floor under the mail import: what a bare program needs that only fetches the same messages over HTTP/2, parses
// them and inserts them. One thread drives libcurl, one parses and writes. No durability rules, no tokens, no limits,
// no resuming: everything a server must do on top is what the ratio measures. usage: bench_floor BASE_URL CA_FILE
// ACCESS_TOKEN DATABASE [CONCURRENCY] Prints one JSON line: {"messages", "seconds", "cpu_seconds", "peak_kb"}.
#include <curl/curl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/encoding.hpp"

namespace {

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "bench_floor: {}\n", why);
  std::exit(1);
}

/// Bodies on their way from the network thread to the writer.
class Channel {
 public:
  void Push(std::string body) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return queue_.size() < 512; });
    queue_.push_back(std::move(body));
    filled_.notify_one();
  }
  void Close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    filled_.notify_one();
  }
  bool Pop(std::string& body) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return false;
    body = std::move(queue_.front());
    queue_.pop_front();
    room_.notify_one();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<std::string> queue_;
  bool closed_ = false;
};

struct Row {
  std::string id, thread_id, subject, from, to, date, text, html, snippet, labels;
};

void ReadPart(simdjson::ondemand::object part, Row& row, bool top);

void ReadHeaders(simdjson::ondemand::array headers, Row& row) {
  for (simdjson::ondemand::object header : headers) {
    std::string_view name = header["name"];
    std::string_view value = header["value"];
    if (name == "Subject")
      row.subject = value;
    else if (name == "From")
      row.from = value;
    else if (name == "To")
      row.to = value;
    else if (name == "Date")
      row.date = value;
  }
}

void ReadPart(simdjson::ondemand::object part, Row& row, bool top) {
  std::string type;
  for (auto field : part) {
    const std::string_view key = field.unescaped_key();
    if (key == "mimeType") {
      type = std::string_view(field.value().get_string());
    } else if (key == "headers" && top) {
      ReadHeaders(field.value().get_array(), row);
    } else if (key == "body") {
      for (auto inner : field.value().get_object()) {
        if (std::string_view(inner.unescaped_key()) != "data") continue;
        auto bytes = latchkey::Base64UrlDecode(std::string_view(inner.value().get_string()));
        if (!bytes) Die("bad base64");
        (type == "text/html" ? row.html : row.text) += *bytes;
      }
    } else if (key == "parts") {
      for (simdjson::ondemand::object child : field.value().get_array()) ReadPart(child, row, false);
    }
  }
}

void Write(Channel& channel, const std::string& path, std::size_t& written) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) Die("cannot open " + path);
  sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;", nullptr, nullptr, nullptr);
  sqlite3_exec(db,
               "CREATE TABLE messages(id TEXT PRIMARY KEY, thread_id TEXT, subject TEXT, sender TEXT, recipient TEXT, "
               "date TEXT, "
               "snippet TEXT, labels TEXT, body TEXT, html TEXT) WITHOUT ROWID",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO messages VALUES(?,?,?,?,?,?,?,?,?,?)", -1, &insert, nullptr);
  simdjson::ondemand::parser parser;
  std::string body;
  std::size_t in_batch = 0;
  while (channel.Pop(body)) {
    Row row;
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    auto document = parser.iterate(body);
    for (auto field : document.get_object()) {
      const std::string_view key = field.unescaped_key();
      if (key == "id")
        row.id = std::string_view(field.value().get_string());
      else if (key == "threadId")
        row.thread_id = std::string_view(field.value().get_string());
      else if (key == "snippet")
        row.snippet = std::string_view(field.value().get_string());
      else if (key == "labelIds")
        for (std::string_view label : field.value().get_array()) row.labels += std::string(label) + ",";
      else if (key == "payload")
        ReadPart(field.value().get_object(), row, true);
    }
    if (in_batch++ == 0) sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
    int at = 1;
    for (const std::string* column : {&row.id, &row.thread_id, &row.subject, &row.from, &row.to, &row.date,
                                      &row.snippet, &row.labels, &row.text, &row.html}) {
      sqlite3_bind_text(insert, at++, column->data(), static_cast<int>(column->size()), SQLITE_STATIC);
    }
    if (sqlite3_step(insert) != SQLITE_DONE) Die(sqlite3_errmsg(db));
    sqlite3_reset(insert);
    ++written;
    if (in_batch == 1000) {
      sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
      in_batch = 0;
    }
  }
  if (in_batch != 0) sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_finalize(insert);
  sqlite3_close(db);
}

struct Transfer {
  CURL* handle = nullptr;
  std::string body;
};

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* user) {
  static_cast<Transfer*>(user)->body.append(data, size * count);
  return size * count;
}

class Fetcher {
 public:
  Fetcher(std::string base, const std::string& ca, const std::string& token, std::size_t concurrency)
      : base_(std::move(base)), ca_(ca), multi_(curl_multi_init()), concurrency_(concurrency) {
    headers_ = curl_slist_append(nullptr, ("Authorization: Bearer " + token).c_str());
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, 2L);
  }

  /// Fetches every target, `concurrency_` at a time, handing bodies over in order of arrival.
  template <class Sink>
  void Get(const std::vector<std::string>& targets, Sink sink) {
    std::size_t next = 0;
    std::size_t running = 0;
    while (next < targets.size() || running > 0) {
      while (running < concurrency_ && next < targets.size()) {
        Start(targets[next++]);
        ++running;
      }
      int still = 0;
      curl_multi_perform(multi_, &still);
      int left = 0;
      bool finished = false;
      while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (message->data.result != CURLE_OK || status != 200) {
          Die(fmt::format("status {} {}", status, curl_easy_strerror(message->data.result)));
        }
        curl_multi_remove_handle(multi_, message->easy_handle);
        sink(std::move(transfer->body));
        transfer->body = {};
        idle_.push_back(transfer);
        --running;
        finished = true;
      }
      if (!finished) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

 private:
  void Start(const std::string& target) {
    Transfer* transfer = nullptr;
    if (!idle_.empty()) {
      transfer = idle_.back();
      idle_.pop_back();
    } else {
      all_.push_back(std::make_unique<Transfer>());
      transfer = all_.back().get();
      transfer->handle = curl_easy_init();
      curl_easy_setopt(transfer->handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
      curl_easy_setopt(transfer->handle, CURLOPT_PIPEWAIT, 1L);
      curl_easy_setopt(transfer->handle, CURLOPT_CAINFO, ca_.c_str());
      curl_easy_setopt(transfer->handle, CURLOPT_HTTPHEADER, headers_);
      curl_easy_setopt(transfer->handle, CURLOPT_WRITEFUNCTION, &Collect);
      curl_easy_setopt(transfer->handle, CURLOPT_WRITEDATA, transfer);
      curl_easy_setopt(transfer->handle, CURLOPT_PRIVATE, transfer);
      curl_easy_setopt(transfer->handle, CURLOPT_NOSIGNAL, 1L);
      // A transfer that libcurl forgets ends the program in words instead of keeping it for good.
      curl_easy_setopt(transfer->handle, CURLOPT_TIMEOUT, 60L);
    }
    transfer->body.reserve(32 << 10);
    curl_easy_setopt(transfer->handle, CURLOPT_URL, (base_ + target).c_str());
    curl_multi_add_handle(multi_, transfer->handle);
  }

  std::string base_, ca_;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  std::size_t concurrency_;
  std::vector<std::unique_ptr<Transfer>> all_;
  std::vector<Transfer*> idle_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) Die("usage: bench_floor BASE_URL CA_FILE ACCESS_TOKEN DATABASE [CONCURRENCY]");
  const auto began = std::chrono::steady_clock::now();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Channel channel;
  std::size_t written = 0;
  std::thread writer([&] { Write(channel, argv[4], written); });
  Fetcher fetcher(argv[1], argv[2], argv[3], argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 64);
  simdjson::dom::parser parser;
  std::string page;
  do {
    std::vector<std::string> targets;
    const std::string list =
        "/gmail/v1/users/me/messages?maxResults=500&includeSpamTrash=true" + (page.empty() ? "" : "&pageToken=" + page);
    page.clear();
    fetcher.Get({list}, [&](std::string body) {
      simdjson::dom::element answer;
      if (parser.parse(body).get(answer) != simdjson::SUCCESS) Die("the list is not JSON");
      simdjson::dom::array messages;
      if (answer["messages"].get(messages) == simdjson::SUCCESS) {
        for (simdjson::dom::element message : messages) {
          targets.push_back("/gmail/v1/users/me/messages/" + std::string(std::string_view(message["id"])) +
                            "?format=full");
        }
      }
      std::string_view next;
      if (answer["nextPageToken"].get(next) == simdjson::SUCCESS) page = next;
    });
    fetcher.Get(targets, [&](std::string body) { channel.Push(std::move(body)); });
  } while (!page.empty());
  channel.Close();
  writer.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  fmt::print("{{\"messages\":{},\"seconds\":{:.3f},\"cpu_seconds\":{:.3f},\"peak_kb\":{}}}\n", written, seconds, cpu,
             usage.ru_maxrss);
}
