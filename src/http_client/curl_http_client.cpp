#include "http_client/curl_http_client.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/timer.hpp"
#include "http_client/multi_loop.hpp"
#include "http_client/origin.hpp"
#include "http_client/transfer.hpp"
#include "telemetry/log.hpp"

namespace latchkey::http_client {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string_view HttpResponse::Header(std::string_view name) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (const auto& [field, value] : headers) {
    if (std::ranges::equal(field, name, {}, lower, lower)) return value;
  }
  return {};
}

namespace {

void InitLibrary() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// The path of a URL, for the log: no query, no origin.
std::string_view PathOf(std::string_view url, const Origin& origin) {
  const std::size_t from = url.find('/', url.find("://") + 3);
  if (from == std::string_view::npos || origin.text.empty()) return "/";
  url.remove_prefix(from);
  return url.substr(0, url.find_first_of("?#"));
}

}  // namespace

class CurlHttpClient::Engine {
 public:
  Engine(Executor executor, ClientOptions options)
      : executor_(std::move(executor)),
        options_(std::move(options)),
        settings_{.ca_file = options_.ca_file,
                  .user_agent = options_.user_agent,
                  .allow_private_addresses = options_.allow_private_addresses,
                  .connect_timeout = options_.connect_timeout,
                  .low_speed_bytes_per_second = options_.low_speed_bytes_per_second,
                  .low_speed_time = options_.low_speed_time},
        loop_(executor_, [this](CURL* easy, CURLcode result) { OnDone(loop_, easy, result); }),
        download_loop_(executor_, [this](CURL* easy, CURLcode result) { OnDone(download_loop_, easy, result); }) {
    if (!options_.ca_file.empty() && !std::ifstream(options_.ca_file)) {
      throw std::runtime_error("cannot read the CA file " + options_.ca_file);
    }
    curl_multi_setopt(loop_.handle(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    for (const std::string& url : options_.allowed_origins) {
      if (const auto allowed = Allow(url); !allowed) throw std::invalid_argument(url + ": " + allowed.error().detail);
    }
  }

  ~Engine() {
    for (const auto& [transfer, loop] : in_flight_) loop->Remove(transfer->easy());
  }

  Result<void> Allow(std::string_view url) {
    auto origin = ParseOrigin(url);
    if (!origin) return Fail(std::move(origin.error()));
    if (!hosts_.contains(origin->text)) {
      auto text = origin->text;
      hosts_.emplace(std::move(text), std::make_unique<Host>(executor_, std::move(*origin), options_));
    }
    return {};
  }

  Task<Result<HttpResponse>> Send(const HttpRequest& request) {
    const auto started = steady_clock::now();
    if (request.may_have_left) *request.may_have_left = false;
    std::unique_ptr<Host> visited;
    Host* host = FindHost(request.url);
    if (!host && options_.any_public_host) {
      auto origin = ParsePublicOrigin(request.url);
      if (!origin) co_return Fail(std::move(origin.error()));
      visited = std::make_unique<Host>(executor_, std::move(*origin), ClientOptions{});
      host = visited.get();
    }
    if (!host) co_return Fail(ErrorCode::kForbidden, "the host is not on the allow-list");
    if (host->permits.waiting() >= options_.max_waiting_per_origin) {
      co_return Fail(ErrorCode::kOverloaded, "too many requests wait for this host");
    }
    const auto permit = co_await host->permits.AcquireFor(request.timeout);
    const auto waited = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started);
    if (!permit || waited >= request.timeout) {
      co_return Fail(ErrorCode::kTimeout, "timed out while waiting for a free transfer");
    }

    Use use(*this);
    auto prepared = use.transfer->Prepare(request, host->origin, request.timeout - waited);
    if (!prepared) co_return Fail(std::move(prepared.error()));
    if (request.may_have_left) *request.may_have_left = true;
    use.Begin(request.on_body_async ? download_loop_ : loop_);
    auto cancel = [&use] { use.Abort(); };
    if (request.on_body_async) {
      co_await Pump(request, use);
    } else {
      while (!use.transfer->finished()) co_await use.transfer->Wait(cancel);
    }
    if (request.may_have_left) *request.may_have_left = use.transfer->MayHaveLeft();
    auto result = use.transfer->TakeResult();
    if (!visited) Note(*host, request, result, steady_clock::now() - started);
    co_return result;
  }

 private:
  struct Host {
    Host(const Executor& executor, Origin parsed, const ClientOptions& options)
        : origin(std::move(parsed)), permits(executor, options.max_in_flight_per_origin) {
      if (!options.metrics) return;
      constexpr std::array kOutcomes = {"failed", "1xx", "2xx", "3xx", "4xx", "5xx"};
      for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
        answers[i] = &options.metrics->GetCounter("latchkey_http_client_requests_total", "Requests to providers.",
                                                  {{"origin", origin.text}, {"outcome", kOutcomes[i]}});
      }
      seconds = &options.metrics->GetHistogram("latchkey_http_client_seconds", "Duration of requests to providers.",
                                               metrics::LatencyBuckets(), {{"origin", origin.text}});
    }

    Origin origin;
    Semaphore permits;
    std::array<metrics::Counter*, 6> answers{};
    metrics::Histogram* seconds = nullptr;
  };

  /// A transfer taken from the shelf; goes back there, out of libcurl's hands, however the request ends.
  struct Use {
    explicit Use(Engine& owner) : engine(owner), transfer(owner.TakeTransfer()) {}
    ~Use() {
      Abort();
      engine.idle_.push_back(std::move(transfer));
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    void Begin(MultiLoop& where) {
      loop = &where;
      engine.in_flight_.emplace_back(transfer.get(), loop);
      loop->Add(transfer->easy());
    }
    void Abort() {
      if (!loop || transfer->finished()) return;
      engine.Forget(*loop, *transfer);
      transfer->Abort();
    }

    Engine& engine;
    std::unique_ptr<Transfer> transfer;
    MultiLoop* loop = nullptr;
  };

  std::unique_ptr<Transfer> TakeTransfer() {
    if (idle_.empty()) return std::make_unique<Transfer>(settings_);
    auto transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }

  void Forget(MultiLoop& loop, Transfer& transfer) {
    loop.Remove(transfer.easy());
    const auto found = std::ranges::find(in_flight_, &transfer, &std::pair<Transfer*, MultiLoop*>::first);
    if (found == in_flight_.end()) return;
    *found = in_flight_.back();
    in_flight_.pop_back();
  }

  void OnDone(MultiLoop& loop, CURL* easy, CURLcode result) {
    Transfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    Forget(loop, *transfer);
    transfer->Finish(result);
  }

  /// Hands body bytes to a receiver that may wait; libcurl is paused meanwhile.
  Task<void> Pump(const HttpRequest& request, Use& use) {
    Transfer& transfer = *use.transfer;
    auto cancel = [&use] { use.Abort(); };
    while (true) {
      if (transfer.has_pending()) {
        const std::string bytes = transfer.TakePending();
        if (!co_await request.on_body_async(bytes)) {
          use.Abort();
          transfer.StopByReceiver();
          co_return;
        }
        if (transfer.paused() && !transfer.finished()) {
          transfer.ClearPaused();
          use.loop->Unpause(transfer.easy());
        }
      } else if (transfer.finished()) {
        co_return;
      } else {
        co_await transfer.Wait(cancel);
      }
    }
  }

  Host* FindHost(std::string_view url) {
    // Nearly always the URL begins with an allowed origin as it stands. What follows must end the authority, so that
    // "https://good.example@evil.example" is not taken for good.example.
    const std::size_t end = url.find_first_of("/?#", std::min(url.size(), url.find("://") + 3));
    if (const auto found = hosts_.find(url.substr(0, end)); found != hosts_.end()) return found->second.get();
    const auto origin = ParseOrigin(url);
    if (!origin) return nullptr;
    const auto found = hosts_.find(origin->text);
    return found == hosts_.end() ? nullptr : found->second.get();
  }

  void Note(Host& host, const HttpRequest& request, const Result<HttpResponse>& result,
            steady_clock::duration duration) {
    const int status = result ? result->status : 0;
    if (host.seconds) {
      host.answers[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))]->Add();
      host.seconds->Observe(std::chrono::duration<double>(duration).count());
    }
    const auto spent = std::chrono::duration_cast<milliseconds>(duration).count();
    if (!result && result.error().code != ErrorCode::kCancelled) {
      log::Info("http_client.failed", {{"method", request.method},
                                       {"origin", host.origin.text},
                                       {"path", PathOf(request.url, host.origin)},
                                       {"error_code", ToString(result.error().code)},
                                       {"detail", result.error().detail},
                                       {"duration_ms", spent}});
    }
  }

  Executor executor_;
  ClientOptions options_;
  TransferSettings settings_;
  std::map<std::string, std::unique_ptr<Host>, std::less<>> hosts_;
  std::vector<std::pair<Transfer*, MultiLoop*>> in_flight_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  MultiLoop loop_;
  /// Downloads speak HTTP/1.1 (see Transfer::Prepare). One libcurl pool must not hold both versions for one host: 7.88
  /// then takes an HTTP/2 connection's frames for an HTTP/0.9 answer.
  MultiLoop download_loop_;
};

CurlHttpClient::CurlHttpClient(Executor executor, ClientOptions options) {
  InitLibrary();
  engine_ = std::make_unique<Engine>(std::move(executor), std::move(options));
}

CurlHttpClient::~CurlHttpClient() = default;

Task<Result<HttpResponse>> CurlHttpClient::Send(const HttpRequest& request) { return engine_->Send(request); }

Result<void> CurlHttpClient::Allow(std::string_view url) { return engine_->Allow(url); }

}  // namespace latchkey::http_client
